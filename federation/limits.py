"""Every bound on what a stranger can make this server read, hold, fetch or wait for, and why.

One place, so that an operator can see what a message may cost and a reviewer can see what is
missing. Sizes are bytes, times are seconds. What a node holds in its own queues is bounded in
`node/exchange/backlog.py`, a connection in `node/web/protocol.py`; SECURITY.md has all of it in a
table, with the test that holds each (tests/hostile/test_budgets.py compares).
"""

# --- What is read --------------------------------------------------------------------------------

INBOX_BODY = 256 * 1024  # an activity; the worst costs 30 to 70 ms to check, by the processor
ACTOR = 64 * 1024  # an actor's document or a key, fetched for anybody who names it, and kept
DOCUMENT = 1024 * 1024  # an object, or a page of a collection, fetched from those who are heard
DISCOVERY = 64 * 1024  # a WebFinger or NodeInfo document that we fetched ourselves
MEDIA = 8 * 1024 * 1024  # a photo of a neighbour's; two at once, each a few times this in memory
ANSWER = 64 * 1024  # what a server says to a delivery: looked at for its status only
HEADER_BLOCK = 16 * 1024  # of a request or an answer; servers in use stay under 8 KiB
JSON_DEPTH = 32  # real activities are some 8 deep; each level costs a stack frame somewhere
JSON_CONTAINERS = 20_000  # objects and lists in all; a page of a hundred listings has 4,000
JSON_INTEGER = 2**53 - 1  # beyond it JSON readers take two integers for one (RFC 7493, 2.2)
URL = 2048  # what browsers and proxies carry
KEY_ID = 2048
SIGNATURE_HEADER = 4096  # an RSA-8192 signature has 1,368 characters, and a long key id 2,048
PEM = 16 * 1024

# --- What is fetched and waited for --------------------------------------------------------------

TOTAL_TIME = 10.0  # one request, from the look-up of the name to the last byte
CONNECT_TIME = 5.0  # of these, for the connection; shared among the addresses tried
REDIRECTS = 3  # www, https and a moved page
FETCHES_PER_ACTIVITY = 3  # its object, its shop, and one of them again by its id
KEY_FETCHES = 32  # at once in total: 32 of ACTOR's size is what these may hold, 2 MiB
KEY_FETCHES_OF_HOST = 4  # at once: a slow host of a stranger holds up itself
NAME_LOOKUPS = 16  # at once; a slow name server must not hold up the names of others for long
DIAL_ATTEMPTS = 3  # addresses of one name that are tried before it counts as unreachable
CONNECTED_HOSTS = 128  # hosts whose connections are kept; the least recently used one goes first
CONNECTIONS_PER_HOST = 4
KEEPALIVE_TIME = 4.0  # under the 5 s after which many servers hang up, so that none is met closing
RETRY_AFTER_LEAST = 1.0
RETRY_AFTER_MOST = 86400.0

# --- What is not asked for again, and for how long -----------------------------------------------

KEY_REFETCH_INTERVAL = 60.0  # a failed check may ask for the key again, this often at most
NEGATIVE_KEY_TIME = 600.0  # a key that could not be had is not asked for again meanwhile
NEGATIVE_HOST_TIME = 60.0  # an address that could not be reached is not asked for again meanwhile
HOST_FAILURES = 3  # in a row, after which a host is left alone for HOST_HELD
HOST_HELD = 10.0
MISSES_AT_HOST = 200  # failures of any kind in NEGATIVE_HOST_TIME, likewise

# --- Time windows of signatures (an hour, as Mastodon, Fedify and Lemmy allow) -------------------

SIGNATURE_AGE = 3600.0
SIGNATURE_AHEAD_CAVAGE = 3600.0  # the Date header, written by clocks that nobody watches
SIGNATURE_AHEAD_RFC9421 = 60.0  # `created`, as the WordPress and Fedify verifiers have it

# --- Keys of others ------------------------------------------------------------------------------

RSA_BITS_LEAST = 2048
RSA_BITS_MOST = 8192  # a check of it takes some 300 µs; of more, it grows with the square

# --- What fails at the door of an inbox (penalties.py): at once, and a second from then on -------

FAILURES_OF_HOST = 50.0  # of one claimed host from one address: a server with a new bug has these
FAILURES_OF_HOST_PER_SECOND = 0.5
FAILURES_OF_ADDRESS = 200.0  # whatever hosts it claims
FAILURES_OF_ADDRESS_PER_SECOND = 2.0
FAILURES_OF_STRANGERS = 500.0  # of all hosts together that have never proved themselves
FAILURES_OF_STRANGERS_PER_SECOND = 20.0
PENALISED = 4096  # buckets kept; the least recently used goes first
PROVED_HOSTS = 4096
BUSY_TIME = 30  # seconds after which a busy node asks to be tried again
