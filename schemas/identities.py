"""``iris.identities``: where a conversation goes on whose person is known by another identity now.

The key is the id of the conversation under the old identity. The last value of a key counts; one that names the key
itself says that the conversation is current again.
"""

from schemas.base import Model


class Identity(Model):
    conversation_id: str
