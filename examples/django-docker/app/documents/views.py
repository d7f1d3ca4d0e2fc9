from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from .forms import DocumentForm
from .models import Document
from .tasks import request_fingerprint


@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    form = DocumentForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        document = form.save()
        request_fingerprint(document)
        messages.success(request, f"“{document}” is stored.")
        return redirect("documents:index")
    context = {
        "form": form,
        "documents": Document.objects.all()[:20],
        "release": settings.RELEASE,
        "slipway_release": settings.SLIPWAY_RELEASE,
    }
    return render(request, "documents/index.html", context, status=400 if form.errors else 200)


# Exempt because no cookie gives a caller any right here: there is nothing that a forged request could borrow.
@csrf_exempt
@require_POST
def upload_by_script(request: HttpRequest) -> HttpResponse:
    form = DocumentForm(request.POST, request.FILES)
    if not form.is_valid():
        return JsonResponse({"release": settings.RELEASE, "errors": form.errors}, status=400)
    document = form.save()
    request_fingerprint(document)
    document.refresh_from_db()
    return JsonResponse(
        {
            "release": settings.RELEASE,
            "id": document.pk,
            "url": document.file.url,
            "size": document.file.size,
            "sha256": document.sha256,
        },
        status=201,
    )
