"""Keeps a trained model in the object store: as a stream, without a file on the way, or from a file."""

import io
import os

import torch
from dotenv import load_dotenv
from minio import Minio
from minio.error import S3Error

load_dotenv()
bucket = os.environ["MINIO_MODEL_BUCKET"]

client = Minio(
    f"{os.environ['MINIO_HOST_NAME']}:{os.environ.get('MINIO_API_PORT', '9002')}",
    access_key=os.environ["MINIO_USER_NAME"],
    secret_key=os.environ["MINIO_USER_PASSWORD"],
    # See the README: plain within the machine or the cluster's network, TLS as soon as a client is elsewhere.
    secure=os.environ.get("MINIO_SECURE", "false") == "true",
)


def ensure_bucket():
    if not client.bucket_exists(bucket):
        client.make_bucket(bucket)


def save_model_to_minio(model, name, metadata=None):
    """Stores `model` under `name`, with `metadata` beside it. The service runs for long, so nothing goes to its disk."""
    buffer = io.BytesIO()
    torch.save(model, buffer)
    buffer.seek(0)
    result = client.put_object(
        bucket, name, buffer, length=buffer.getbuffer().nbytes, content_type="application/x-pytorch",
        metadata={key: str(value) for key, value in (metadata or {}).items()})
    return result.etag


def load_model_from_minio(name):
    response = client.get_object(bucket, name)
    try:
        return torch.load(io.BytesIO(response.read()), weights_only=False)
    finally:
        response.close()
        response.release_conn()


def main():
    """What the document does with the SDK, one call after the other."""
    ensure_bucket()
    print("bucket_exists:", client.bucket_exists(bucket))
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(784, 10))
    print("put_object:", save_model_to_minio(model, "smoke/linear.pt", {"framework": "torch", "epochs": 0}))
    found = client.stat_object(bucket, "smoke/linear.pt")
    print("stat_object:", found.size, found.content_type, found.metadata["x-amz-meta-framework"])
    same = load_model_from_minio("smoke/linear.pt")
    image = torch.zeros(1, 1, 28, 28)
    print("get_object:", "the same answers" if torch.equal(model(image), same(image)) else "OTHER ANSWERS")
    torch.save(model.state_dict(), os.environ["WORK"] + "/linear-weights.pt")
    print("fput_object:", client.fput_object(bucket, "smoke/linear-weights.pt", os.environ["WORK"] + "/linear-weights.pt").object_name)
    print("list_objects:", [item.object_name for item in client.list_objects(bucket, recursive=True)])
    try:
        client.get_object(bucket, "smoke/not-there.pt")
    except S3Error as error:
        print("a missing object:", error.code, "-", error.message)


if __name__ == "__main__":
    main()
