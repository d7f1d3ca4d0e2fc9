"""Makes any Django app answer 500, for the release that the rehearsal expects to be refused.

Python imports a module of this name by itself at start. Django is patched when it is imported, and not before, so
that management commands such as migrate go on as they are.
"""

import importlib.abc
import importlib.util
import sys

MODULE = "django.core.handlers.base"
MESSAGE = "broken on purpose: this is the release that the rehearsal expects to be refused"


def break_handler(module):
    from django.http import HttpResponseServerError

    def get_response(self, request):
        print(f"Internal Server Error: {request.path}: {MESSAGE}", file=sys.stderr, flush=True)
        return HttpResponseServerError(MESSAGE)

    async def get_response_async(self, request):
        return get_response(self, request)

    module.BaseHandler.get_response = get_response
    module.BaseHandler.get_response_async = get_response_async


class Breaker(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path, target=None):
        if name != MODULE:
            return None
        sys.meta_path.remove(self)
        found = importlib.util.find_spec(name)
        if found is None:
            return None
        self.loader = found.loader
        return importlib.util.spec_from_file_location(name, found.origin, loader=self)

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        self.loader.exec_module(module)
        break_handler(module)


sys.meta_path.insert(0, Breaker())
