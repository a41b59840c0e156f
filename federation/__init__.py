"""The federation layer: keys, signatures, documents and deliveries, for any application.

Nothing here knows of shops. It speaks ActivityPub as servers in the field do, and treats every
byte that comes from one as hostile until it is read by `documents`.
"""
