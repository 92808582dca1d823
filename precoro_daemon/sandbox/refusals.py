"""refusals in the vendor's own error shapes"""

from typing import Any


class RefusedError(Exception):
    """A 400 that names the field and its mistake."""

    status = 400

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message

    def body(self) -> dict[str, Any]:
        return {
            "code": 400,
            "message": "Validation Failed",
            "errors": {"errors": {self.field: [self.message]}},
        }


class MissingError(Exception):
    """A 404: the record does not exist, or the path has an id instead of an idn."""

    status = 404

    def body(self) -> dict[str, Any]:
        return {"code": 404, "message": "Not Found"}
