"""What Instagram's webhook differs by: bodies of ``object: instagram``.

How they are proven, split and read is common to Meta's platforms (``connectors.shared.meta``).
"""

from connectors.shared.meta.item import Dialect

DIALECT = Dialect(name="instagram", prefix="ig_", webhook_object="instagram", account_field="instagram_id")
