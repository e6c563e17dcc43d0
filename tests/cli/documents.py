"""OpenAPI documents as frameworks write them."""

from typing import Any

__all__ = ["BREAKS_OUT", "FASTAPI", "HOSTILE", "NEST", "SPRING"]

FASTAPI: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Shop", "version": "0.1.0"},
    "paths": {
        "/health/live": {"get": {"responses": {"200": {"description": "ok"}}}},
        "/health/ready": {"get": {"responses": {"200": {"description": "ok"}}}},
        "/items": {
            "get": {
                "operationId": "list_items_items_get",
                "parameters": [
                    {"name": "limit", "in": "query", "required": False,
                     "schema": {"type": "integer", "default": 20}},
                ],
                "responses": {"200": {"content": {"application/json": {
                    "schema": {"type": "array", "items": {"$ref": "#/components/schemas/Item"}},
                }}}},
            },
            "post": {
                "operationId": "create_item_items_post",
                "requestBody": {"required": True, "content": {"application/json": {
                    "schema": {"$ref": "#/components/schemas/NewItem"},
                }}},
                "responses": {
                    "201": {"content": {"application/json": {
                        "schema": {"$ref": "#/components/schemas/Item"},
                    }}},
                    "422": {"content": {"application/json": {
                        "schema": {"$ref": "#/components/schemas/HTTPValidationError"},
                    }}},
                },
            },
        },
        "/items/{item_id}": {"get": {
            "parameters": [{"name": "item_id", "in": "path", "required": True,
                            "schema": {"type": "integer"}}],
            "responses": {"200": {"description": "ok"}},
        }},
    },
    "components": {"schemas": {
        "Item": {"type": "object", "properties": {"id": {"type": "integer"}}},
        "NewItem": {
            "type": "object",
            "required": ["kind", "name", "price", "tags"],
            "properties": {
                "kind": {"$ref": "#/components/schemas/Kind"},
                "name": {"type": "string", "maxLength": 80, "minLength": 1},
                "price": {"type": "number", "exclusiveMinimum": 0},
                "tags": {"type": "array", "items": {"type": "string"}, "minItems": 1},
                "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            },
        },
        "Kind": {"type": "string", "enum": ["book", "tea"]},
        "HTTPValidationError": {"type": "object"},
    }},
}  # fmt: skip
"""FastAPI's: 3.1, references, anyOf with null, errors as application/json."""

SPRING: dict[str, Any] = {
    "openapi": "3.0.1",
    "info": {"title": "Orders"},
    "servers": [{"url": "http://localhost:8080/api/v1"}],
    "security": [{"bearer": []}],
    "paths": {
        "/auth/login": {"post": {
            "requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}},
            "responses": {"200": {"description": "ok"}},
        }},
        "/orders": {
            "parameters": [{"$ref": "#/components/parameters/Tenant"}],
            "get": {
                "operationId": "listOrders",
                "parameters": [{"name": "state", "in": "query", "required": True,
                                "schema": {"type": "string", "enum": ["OPEN", "DONE"]}}],
                "responses": {"200": {"$ref": "#/components/responses/Orders"}},
            },
            "post": {
                "operationId": "placeOrder",
                "parameters": [{"name": "Idempotency-Key", "in": "header", "required": True,
                                "schema": {"type": "string", "format": "uuid"}}],
                "requestBody": {"$ref": "#/components/requestBodies/Order"},
                "responses": {
                    "201": {"description": "made"},
                    "default": {"content": {"application/problem+json": {"schema": {}}}},
                },
            },
        },
    },
    "components": {
        "parameters": {"Tenant": {"name": "X-Tenant", "in": "header", "required": True,
                                  "schema": {"type": "string"}, "example": "acme"}},
        "responses": {"Orders": {"description": "all", "content": {"application/json": {
            "schema": {"type": "object", "properties": {
                "content": {"type": "array", "items": {"$ref": "#/components/schemas/Order"}},
            }},
        }}}},
        "requestBodies": {"Order": {"content": {"application/json;charset=UTF-8": {
            "schema": {"$ref": "#/components/schemas/Order"},
        }}}},
        "schemas": {
            "Base": {"type": "object", "required": ["customerName"], "properties": {
                "customerName": {"type": "string"},
            }},
            "Order": {"allOf": [
                {"$ref": "#/components/schemas/Base"},
                {"type": "object", "required": ["productId", "due", "lines"], "properties": {
                    "productId": {"type": "integer", "format": "int64", "minimum": 1},
                    "due": {"type": "string", "format": "date"},
                    "lines": {"type": "array", "items": {"$ref": "#/components/schemas/Line"}},
                    "parent": {"$ref": "#/components/schemas/Order"},
                }},
            ]},
            "Line": {"type": "object", "required": ["quantity"], "properties": {
                "quantity": {"type": "integer", "minimum": 2, "maximum": 9},
                "order": {"$ref": "#/components/schemas/Order"},
            }},
        },
    },
}  # fmt: skip
"""springdoc's: 3.0, a server with a path, allOf, schemas that refer to themselves, security."""

NEST: dict[str, Any] = {
    "openapi": "3.0.0",
    "info": {"title": "Cats"},
    "paths": {
        "/health": {"get": {"responses": {"200": {"description": "ok"}}}},
        "/cats": {"post": {
            "requestBody": {"content": {"application/json": {
                "schema": {"type": "object"},
                "examples": {"one": {"value": {"name": "Tom", "age": 3, "owner": None}}},
            }}},
            "responses": {"200": {"description": "ok"}},
        }},
        "/cats/{id}": {"get": {
            "parameters": [{"name": "id", "in": "path", "required": True, "example": "c 1"}],
            "responses": {"200": {"description": "ok"}},
        }},
    },
}  # fmt: skip
"""NestJS's: examples of a media type, one general health route, a path with an example."""

BREAKS_OUT = "name\ncommand = ['touch', 'owned']\n\x1b[2J"

_ITSELF = "#/paths/~1c\x1b[2J/post/requestBody/content/application~1json/schema"

HOSTILE: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": 'Quote " and \\ and \n[[operations]]\u0000'},
    "paths": {
        "/a": None,
        "/b": {"get": {"parameters": "none", "responses": []}},
        "/c\x1b[2J": {"get": {"responses": {"200": {"$ref": "#/nowhere"}}}, "post": {
            "requestBody": {"content": {"application/json": {"schema": {
                "type": "object",
                "required": ["say", 7, "self", BREAKS_OUT, f"{BREAKS_OUT}_id"],
                "properties": {
                    BREAKS_OUT: {"type": "string"},
                    f"{BREAKS_OUT}_id": {"type": "string"},
                    "say": {"type": "string", "default": 'a"b\\c\u007f\n', "format": "x"},
                    "self": {"$ref": _ITSELF},
                    "we\u2028ird key.": {"type": ["null", "string"]},
                },
            }}}},
            "responses": {"2XX": {"description": "ok"}, "201": None},
        }},
    },
}  # fmt: skip
"""What no framework writes: texts to be quoted, a schema that contains itself, malformed parts."""
