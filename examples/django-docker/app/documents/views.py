from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from hello_django.release import release_names

from .forms import DocumentForm
from .models import Document
from .tasks import request_fingerprint

NEWEST = 20


@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    form = DocumentForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        document = form.save()
        request_fingerprint(document)
        messages.success(request, f"“{document}” is stored.")
        return redirect("documents:index")
    context = {"form": form, "documents": Document.objects.all()[:NEWEST], **release_names()}
    return render(request, "documents/index.html", context, status=400 if form.errors else 200)


# Exempt because no cookie gives a caller any right here: there is nothing that a forged request could borrow.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def api(request: HttpRequest) -> HttpResponse:
    """The same list and form for scripts."""
    if request.method != "POST":
        return JsonResponse(
            {"documents": [as_json(one) for one in Document.objects.all()[:NEWEST]], **release_names()}
        )
    form = DocumentForm(request.POST, request.FILES)
    if not form.is_valid():
        return JsonResponse({"errors": form.errors, **release_names()}, status=400)
    document = form.save()
    request_fingerprint(document)
    document.refresh_from_db()
    return JsonResponse({**as_json(document), **release_names()}, status=201)


def as_json(document: Document) -> dict[str, object]:
    return {
        "id": document.pk,
        "title": document.title,
        "url": document.file.url,
        "sha256": document.sha256,
        "created_at": document.created_at,
    }
