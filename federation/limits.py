"""Every bound on what a stranger can make this server read, hold, fetch or wait for.

One place, so that an operator can see what a message may cost and a reviewer can see what is
missing. Sizes are bytes, times are seconds.
"""

# What is read.
INBOX_BODY = 256 * 1024  # an activity; the worst valid one costs some 20 ms to check at this size
ACTOR = 64 * 1024  # an actor's document, which is kept
DOCUMENT = 1024 * 1024  # an actor, an object, a page of a collection that we fetched ourselves
ANSWER = 64 * 1024  # what a server says to a delivery: looked at for its status only
HEADER_BLOCK = 16 * 1024
JSON_DEPTH = 32
JSON_INTEGER = 2**53 - 1  # beyond it JSON readers take two integers for one (RFC 7493, section 2.2)
URL = 2048
KEY_ID = 2048
SIGNATURE_HEADER = 4096

# What is fetched and waited for.
TOTAL_TIME = 10.0  # one request, from the look-up of the name to the last byte
CONNECT_TIME = 5.0
REDIRECTS = 3
FETCHES_PER_ACTIVITY = 3

# Time windows of signatures (design: one hour, as Mastodon, Fedify and Lemmy allow).
SIGNATURE_AGE = 3600.0
SIGNATURE_AHEAD_CAVAGE = 3600.0  # the Date header, written by clocks that nobody watches
SIGNATURE_AHEAD_RFC9421 = 60.0  # `created`, as the WordPress and Fedify verifiers have it

# Keys of others.
RSA_BITS_LEAST = 2048
RSA_BITS_MOST = 8192
PEM = 16 * 1024
KEY_REFETCH_INTERVAL = 60.0  # a failed check may ask for the key again, this often at most
HOST_FAILURES = 3  # in a row, after which a host is left alone for HOST_HELD
HOST_HELD = 10.0
MISSES_AT_HOST = 200  # failures of any kind in NEGATIVE_HOST_TIME, likewise
NEGATIVE_HOST_TIME = 60.0  # an address that could not be reached is not asked for again meanwhile
NEGATIVE_KEY_TIME = 600.0  # a key that could not be had is not asked for again meanwhile

# What is held and waited for when other servers are called.
DISCOVERY = 64 * 1024  # a WebFinger or NodeInfo document that we fetched ourselves
CONNECTED_HOSTS = 128  # hosts whose connections are kept; the least recently used one goes first
CONNECTIONS_PER_HOST = 4
KEEPALIVE_TIME = 4.0  # under the 5 s after which many servers hang up, so that none is met closing
NAME_LOOKUPS = 16  # at once; a slow name server must not hold up the names of others for long
DIAL_ATTEMPTS = 3  # addresses of one name that are tried before it counts as unreachable
RETRY_AFTER_LEAST = 1.0
RETRY_AFTER_MOST = 86400.0

# What fails at the door of an inbox (penalties.py): how often at once, and a second from then on.
FAILURES_OF_HOST = 50.0  # of one claimed host from one address: a server with a new bug has these
FAILURES_OF_HOST_PER_SECOND = 0.5
FAILURES_OF_ADDRESS = 200.0  # whatever hosts it claims
FAILURES_OF_ADDRESS_PER_SECOND = 2.0
FAILURES_OF_STRANGERS = 500.0  # of all hosts together that have never proved themselves
FAILURES_OF_STRANGERS_PER_SECOND = 20.0
PENALISED = 4096  # buckets kept; the least recently used goes first
PROVED_HOSTS = 4096
BUSY_TIME = 30  # seconds that a busy node asks for
