#!/usr/bin/env bash
# The first document, command by command: a store with its console, the Python SDK, a service that trains and saves, mc, TLS,
# and the usual mistakes. See README.md.
source "$(dirname "$0")/../tools.sh"
begin object-store
free_port API CONSOLE APP TLS
export MINIO_ROOT_USER=minio MINIO_ROOT_PASSWORD=miniostorage MINIO_VOLUMES=$WORK/data
export MINIO_USER_NAME=$MINIO_ROOT_USER MINIO_USER_PASSWORD=$MINIO_ROOT_PASSWORD MINIO_HOST_NAME=127.0.0.1 MINIO_API_PORT=$API
export MINIO_MODEL_BUCKET=models
browser="-H 'User-Agent: Mozilla/5.0' -H 'Accept: text/html'"

step "The store, as the compose file starts it"
serve store "http://127.0.0.1:$API/minio/health/live" \
    "slipway store server --address :$API --console-address :$CONSOLE"
memory store "32 GB a host is the least for production (min.io/docs, Hardware Checklist)"

step "A browser that opens the API port is sent to the console"
show "curl -s -o /dev/null -w '%{http_code} %{redirect_url}\n' $browser http://127.0.0.1:$API/"
expect "307 http://127.0.0.1:$CONSOLE/"
show "curl -s $browser http://127.0.0.1:$CONSOLE/ | head -5"
expect "<html"

step "Log in to the console, make a bucket there"
show "curl -s -c $WORK/cookies -H 'Content-Type: application/json' -d '{\"user\": \"$MINIO_ROOT_USER\", \"password\": \"$MINIO_ROOT_PASSWORD\"}' http://127.0.0.1:$CONSOLE/console/session | tee $WORK/session | sed 's/\"forgeryToken\":\"[^\"]*\"/\"forgeryToken\":\"...\"/'"
expect '"user":"minio"'
refuse "curl -sS --fail-with-body -H 'Content-Type: application/json' -d '{\"user\": \"$MINIO_ROOT_USER\", \"password\": \"wrong-password\"}' http://127.0.0.1:$CONSOLE/console/session"

show "token=\$(python -c 'import json; print(json.load(open(\"$WORK/session\"))[\"forgeryToken\"])'); curl -sS --fail-with-body -b $WORK/cookies -H \"X-CSRF-Token: \$token\" -X PUT http://127.0.0.1:$CONSOLE/s3/$MINIO_MODEL_BUCKET -w '%{http_code}\n'"
expect "200"
show "curl -sS --fail-with-body -b $WORK/cookies http://127.0.0.1:$CONSOLE/console/buckets"
expect "$MINIO_MODEL_BUCKET"

step "The Python SDK"
show "python save_model.py"
expect "bucket_exists: True" "get_object: the same answers" "torch" "'smoke/linear.pt'" "NoSuchKey"

step "The service that trains when it is asked"
serve app "http://127.0.0.1:$APP/health" "uvicorn --app-dir $EXAMPLE --port $APP --log-level warning app:app"
show "curl -sS --fail-with-body -H 'Content-Type: application/json' -d '{\"version\": \"mnist-cnn-1\"}' http://127.0.0.1:$APP/train"
expect '"version":"mnist-cnn-1"' '"accuracy":0.9'
figure "/train: 6,000 images, two epochs, stored" "$(sed -n 's/.*"seconds":\([0-9.]*\).*/\1 s/p' <<< "$OUTPUT")"
show "python -c 'import json; print(json.dumps([0.0] * 784))' | curl -sS --fail-with-body -H 'Content-Type: application/json' -d @- http://127.0.0.1:$APP/predict/mnist-cnn-1"
expect '"digit":'
python -c 'import json; print(json.dumps([0.0] * 784))' > "$WORK/image.json"
latency "/predict: the model fetched from the store and asked" -H 'Content-Type: application/json' -d "@$WORK/image.json" "http://127.0.0.1:$APP/predict/mnist-cnn-1"

step "mc"
show "mc alias set myminio http://127.0.0.1:$API $MINIO_ROOT_USER $MINIO_ROOT_PASSWORD"
show "mc ls myminio/models"
expect "mnist-cnn-1.pt"
show "mc stat myminio/models/mnist-cnn-1.pt"
expect "x-amz-meta-accuracy: 0.9" "application/x-pytorch"
show "mc tree --files myminio"
show "mc cp myminio/models/mnist-cnn-1.pt $WORK/model.pt"
show "python -c 'import torch; print(torch.load(\"$WORK/model.pt\", weights_only=False)[0])'"
expect "Conv2d(1, 16"
show "mc --json ls myminio/models"
expect '{"status":"success"' '"key":"mnist-cnn-1.pt"'
show "mc --json stat myminio/models/mnist-cnn-1.pt"
expect '"x-amz-meta-accuracy":"0.9'
show "mc cat myminio/models/mnist-cnn-1.pt | cmp - $WORK/model.pt && echo the same bytes"
expect "the same bytes"
mkdir "$WORK/versions"
cp "$WORK/model.pt" "$WORK/versions/mnist-cnn-2.pt"
show "mc mb --ignore-existing myminio/backup"
show "mc mirror $WORK/versions myminio/backup/versions"
show "mc mirror myminio/models $WORK/mirrored && cmp $WORK/mirrored/mnist-cnn-1.pt $WORK/model.pt"
show "rm $WORK/versions/mnist-cnn-2.pt && mc mirror --remove $WORK/versions myminio/backup/versions && mc ls -r myminio/backup && echo nothing is left"
[ "${OUTPUT##*$'\n'}" = "nothing is left" ] && ! grep -q cnn-2.pt <<< "$(mc ls -r myminio/backup)" || stop_here "the mirror kept what was removed"
link=$(mc --json share download --expire 1h myminio/models/mnist-cnn-1.pt | python -c 'import json, sys; print(json.load(sys.stdin)["share"])')
show "curl -sf -o $WORK/shared.pt '$link' && cmp $WORK/shared.pt $WORK/model.pt && echo the shared link gives the same bytes"

step "With TLS: one flag, and clients that trust the authority"
serve tls "https://localhost:$TLS/minio/health/live" \
    "env MINIO_VOLUMES=$WORK/tls slipway store server --address :$TLS --certs-dir $WORK/certs"
export SSL_CERT_FILE=$WORK/certs/ca.crt
show "MINIO_HOST_NAME=localhost MINIO_API_PORT=$TLS MINIO_SECURE=true python save_model.py"
expect "get_object: the same answers"
unset SSL_CERT_FILE
refuse "curl -sS --fail-with-body http://localhost:$TLS/"
expect "this port speaks TLS: use an https URL"

step "The usual mistakes"
refuse "MINIO_USER_PASSWORD=wrong-password python save_model.py 2>&1 | tail -1"
expect "SignatureDoesNotMatch"
refuse "MINIO_USER_NAME=nobody python save_model.py 2>&1 | tail -1"
expect "InvalidAccessKeyId"
refuse "mc ls myminio/not-a-bucket"
expect "The specified bucket does not exist"
refuse "mc cp $WORK/model.pt myminio/not-a-bucket/model.pt"
expect "The specified bucket does not exist. \`mc mb\` makes it."
refuse "mc alias set nothing http://127.0.0.1:1 $MINIO_ROOT_USER $MINIO_ROOT_PASSWORD"
expect "Is the server running there"
refuse "slipway store server $WORK/other --address :$API"
expect "is in use by process"
refuse "MINIO_ROOT_PASSWORD=short slipway store server $WORK/other --address :0"
expect "8 to 128 characters"
end store
refuse "curl -sS --fail-with-body -H 'Content-Type: application/json' -d '{\"version\": \"late\", \"images\": 100}' http://127.0.0.1:$APP/train"
expect "the object store does not answer"
