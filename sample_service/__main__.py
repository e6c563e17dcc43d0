"""`python -m sample_service`: serve the shop with the settings of the environment."""

from sample_service.process.server import serve
from sample_service.settings import Settings

if __name__ == "__main__":
    serve("sample_service.app:create_app", Settings())
