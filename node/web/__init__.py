"""The node over HTTP: pages for people, the API, and ActivityPub for other servers."""
