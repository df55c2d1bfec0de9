// ObjectClient
