"""The names that servers agree on: namespaces, media types, actor types, the public.

Only names. What is read from documents that use them is in `documents`.
"""

# Namespaces and JSON-LD contexts.
AS2 = "https://www.w3.org/ns/activitystreams"
SECURITY_V1 = "https://w3id.org/security/v1"
DATA_INTEGRITY_V2 = "https://w3id.org/security/data-integrity/v2"

# The public, as an addressee (ActivityPub, section 5.6). Servers that compact JSON-LD differently
# write one of the short forms.
PUBLIC = AS2 + "#Public"
PUBLIC_NAMES = frozenset({PUBLIC, "as:Public", "Public"})

# Media types. What a server sends is compared with `documents.is_activity_type`, never as text.
ACTIVITY_JSON = "application/activity+json"
LD_JSON = f'application/ld+json; profile="{AS2}"'
JRD_JSON = "application/jrd+json"
XRD_XML = "application/xrd+xml"
ACCEPT = f"{ACTIVITY_JSON}, {LD_JSON}"

ACTOR_TYPES = frozenset({"Application", "Group", "Organization", "Person", "Service"})
