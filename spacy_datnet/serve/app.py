"""The application: pages, the queue, and the endpoint for programs."""

import json
from collections.abc import Awaitable, Callable
from importlib.resources import files
from ipaddress import ip_address
from secrets import token_urlsafe
from threading import Lock
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import FastAPI, Header, HTTPException, Path, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from spacy.language import Language
from spacy.tokens import Doc
from spacy.tokens import Span as DocSpan

from .. import __version__
from ..corpora import CorpusError
from ..errors import Errors
from ..pipeline.extensions import ENT_CONFIDENCE
from .exports import KNOWN, export
from .store import Answer, Queue, Saved, Task

BYTES = 4_000_000  # of a request
LONGEST = 200_000  # characters of a text
MOST = 1_000  # texts
PAGE = {
    "page.js": ("text/javascript", "serve/page.js"),
    "page.css": ("text/css", "serve/page.css"),
    "report.css": ("text/css", "experiments/report/page.css"),
}
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


class Texts(BaseModel):
    """Texts to find entities in."""

    texts: list[Annotated[str, Field(max_length=LONGEST)]] = Field(max_length=MOST, examples=[["Ana vive en Lima."]])
    threshold: float = Field(0.0, ge=0, le=1, description="Leave out entities with a lower confidence.")


class Entity(BaseModel):
    """An entity. Offsets are exclusive at the end, and count code points, as Python does, or UTF-16, as JavaScript."""

    text: str
    label: str
    start: int
    end: int
    start_utf16: int
    end_utf16: int
    confidence: float | None = Field(description="The probability that it is right; null where there is none.")


class Entities(BaseModel):
    """The entities of each text, in the order of the texts."""

    results: list[list[Entity]]


def make_app(nlp: Language, queue: Queue | None = None, host: str = "127.0.0.1") -> FastAPI:
    """Make the application.

    nlp (Language): Any pipeline. It works on one request at a time.
    queue (Optional[Queue]): The texts to annotate.
    host (str): A name of this machine that requests may use, besides localhost and numbers.
    RETURNS (FastAPI): The application, for any ASGI server.
    """
    app = FastAPI(title="spacy-datnet serve", version=__version__, docs_url=None, redoc_url=None)
    token, lock = token_urlsafe(), Lock()
    if queue is not None:
        # a page that is open as the server is started anew goes on
        token = queue.remember("token", token)

    def annotate(texts: list[str]) -> list[Doc]:
        with lock:
            return list(nlp.pipe(texts))

    @app.middleware("http")
    async def guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        length = request.headers.get("content-length", "0" if request.method in ("GET", "HEAD") else "")
        if not _is_ours(request, host):
            response: Response = _refused(403, Errors.DN375.format(host=request.headers.get("host")))
        elif not length.isdecimal() or int(length) > BYTES:
            response = _refused(413, Errors.DN378.format(limit=BYTES))
        else:
            response = await call_next(request)
        response.headers.update(HEADERS)
        return response

    @app.exception_handler(RequestValidationError)
    def invalid(_: Request, error: RequestValidationError) -> Response:
        # without the input, which may be large, and half of a character
        return _refused(422, [{key: one[key] for key in ("loc", "msg", "type")} for one in error.errors()])

    @app.exception_handler(ValueError)
    def unusable(_: Request, error: ValueError) -> Response:
        return _refused(409 if isinstance(error, CorpusError) else 422, str(error))

    @app.post("/entities", summary="Find the entities of texts")
    def entities(asked: Texts) -> Entities:
        return Entities(results=[_entities(doc, asked.threshold) for doc in annotate(asked.texts)])

    @app.get("/", include_in_schema=False)
    def page() -> Response:
        filled = _read("serve/page.html").replace("TOKEN", token).replace("FORMATS", " ".join(KNOWN))
        return Response(filled.replace("QUEUE", "" if queue is None else "queue"), media_type="text/html")

    @app.get("/page/{name}", include_in_schema=False)
    def file(name: str) -> Response:
        if name not in PAGE:
            raise HTTPException(404)
        kind, path = PAGE[name]
        return Response(_read(path), media_type=kind)

    if queue is not None:
        _add_queue(app, nlp, queue, token, annotate)
    return app


def _add_queue(
    app: FastAPI, nlp: Language, queue: Queue, token: str, annotate: Callable[[list[str]], list[Doc]]
) -> None:
    Number = Annotated[int, Path(ge=0, lt=len(queue.tasks))]
    names = [name for name in nlp.pipe_names if "doc.ents" in nlp.get_pipe_meta(name).assigns]
    predicted = sorted({label for name in names for label in nlp.pipe_labels.get(name, ())})

    def tokens_of(task: Task) -> list[list[int]]:
        if task.tokens:
            return [[one.start, one.end] for one in task.tokens]
        return [[one.idx, one.idx + len(one)] for one in nlp.make_doc(task.text)]

    def item(number: int) -> dict[str, Any]:
        task, saved = queue.tasks[number], queue.saved().get(queue.keys[number], Saved())
        if saved.spans is not None:
            spans = json.loads(saved.spans)
        elif task.spans is not None:
            spans = [one.model_dump(exclude_none=True) for one in task.spans]
        else:
            (doc,) = annotate([task.text])
            spans = [
                {"start": one.start, "end": one.end, "label": one.label, "score": one.confidence}
                for one in _entities(doc)
            ]
        about = {"number": number, "text": task.text, "meta": task.meta, "tokens": tokens_of(task), "spans": spans}
        return about | {"asked": task.asked, "version": saved.version, "answer": saved.answer}

    @app.get("/queue")
    def progress() -> dict[str, Any]:
        """Tell the name of the queue, its progress and its labels."""
        used = {span.label for task in queue.tasks for span in task.spans or ()}
        used |= {span["label"] for saved in queue.saved().values() for span in json.loads(saved.spans or "[]")}
        labels = [*predicted, *sorted(used - set(predicted))]
        return {"name": queue.path.name, "labels": labels, "progress": queue.progress()}

    @app.get("/queue/next")
    def next_open(after: int = -1) -> dict[str, Any] | None:
        """Give the next text without an answer, null if there is none."""
        number = queue.next_open(max(after, -1))
        return None if number is None else item(number)

    @app.get("/queue/{number}")
    def one(number: Number) -> dict[str, Any]:
        """Give a text of the queue, with its answer if there is one. Offsets count code points."""
        return item(number)

    @app.post("/queue/{number}")
    def save(number: Number, answer: Answer, x_token: Annotated[str, Header()] = "") -> dict[str, Any]:
        """Save an answer. If someone has answered in the meantime, nothing is saved, and the status is 409."""
        if x_token != token:
            raise HTTPException(403, Errors.DN376)
        if not queue.save(number, answer):
            raise HTTPException(409, {"message": Errors.DN377, "item": item(number)})
        return {"version": answer.version + 1, "progress": queue.progress()}

    @app.get("/export")
    def download(to: str = "prodigy") -> Response:
        """Give all answers in a format of `spacy-datnet convert --to`, or as a .spacy file."""
        data, name, messages = export(queue, tokens_of, to, nlp.lang or "xx")
        name = json.dumps(name.encode("ascii", "replace").decode())
        headers = {"Content-Disposition": f"attachment; filename={name}", "X-Warnings": json.dumps(messages)}
        return Response(data, media_type="application/octet-stream", headers=headers)


def _entities(doc: Doc, threshold: float = 0.0) -> list[Entity]:
    has_confidence = DocSpan.has_extension(ENT_CONFIDENCE)
    found = []
    for ent in doc.ents:
        confidence = ent._.get(ENT_CONFIDENCE) if has_confidence else None
        if confidence is not None and confidence < threshold:
            continue
        start, end = (len(doc.text[:at].encode("utf-16-le")) // 2 for at in (ent.start_char, ent.end_char))
        found.append(
            Entity(
                text=ent.text,
                label=ent.label_,
                start=ent.start_char,
                end=ent.end_char,
                start_utf16=start,
                end_utf16=end,
                confidence=confidence,
            )
        )
    return found


def _is_ours(request: Request, own: str) -> bool:
    """Tell whether a request names a host that no other page can take the name of, and does not come from one."""
    host = request.headers.get("host", "")
    try:
        name = urlsplit(f"//{host}").hostname or ""
        origin = urlsplit(request.headers.get("origin", f"//{host}")).netloc
    except ValueError:
        return False
    if name not in ("localhost", own.lower()):
        try:
            ip_address(name)
        except ValueError:
            return False
    site, mode = (request.headers.get(f"sec-fetch-{what}", "") for what in ("site", "mode"))
    return origin == host and (site not in ("cross-site", "same-site") or mode == "navigate")


def _refused(status: int, detail: Any) -> Response:
    return JSONResponse({"detail": detail}, status)


def _read(name: str) -> str:
    return files("spacy_datnet").joinpath(name).read_text(encoding="utf8")
