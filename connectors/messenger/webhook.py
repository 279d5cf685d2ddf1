"""What Messenger's webhook differs by: bodies of ``object: page``.

How they are proven, split and read is common to Meta's platforms (``connectors.shared.meta``).
"""

from connectors.shared.meta.item import Dialect

DIALECT = Dialect(name="messenger", prefix="fb_", webhook_object="page", account_field="page_id")
