#!/usr/bin/env bash
# The second document: PostgreSQL keeps runs and registry, the object store keeps artifacts, clients of two ages use both.
source "$(dirname "$0")/../tools.sh"
begin tracking
OLD_PYTHON=$ROOT/runtime/python/old/bin/python
[ -x "$OLD_PYTHON" ] || stop_here "no Python environment with mlflow 1.30: run scripts/setup examples"
export OLD_PYTHON
ln -s "$SLIPWAY" "$WORK/bin/mlflow"
free_port DATABASE STORE CONSOLE TRACK NOBODY

step "The backend store: PostgreSQL (service mlflow-backend-store)"
show '$ROOT/scripts/postgres start $DATABASE mlflowuser mlflowpassword mlflow '$$
CLUSTER=$(tail -1 <<< "$OUTPUT")
export CLUSTER
show 'pg_isready -h 127.0.0.1 -p $DATABASE -U mlflowuser -d mlflow'
expect 'accepting connections'

step "The artifact store (service mlflow-artifact-store)"
serve store "http://127.0.0.1:$STORE/minio/health/live" \
    "env MINIO_ROOT_USER=minio MINIO_ROOT_PASSWORD=miniostorage slipway store server $WORK/minio --address :$STORE --console-address :$CONSOLE"
show 'curl -fsS -o /dev/null -w "%{http_code}\n" http://localhost:$STORE/minio/health/live'
expect '200'

step "The tracking server (service mlflow-server)"
show 'mc config host add mlflowminio http://127.0.0.1:$STORE minio miniostorage'
show 'mc mb --ignore-existing mlflowminio/mlflow'
show 'mc mb --ignore-existing mlflowminio/mlflow'
export AWS_ACCESS_KEY_ID=minio AWS_SECRET_ACCESS_KEY=miniostorage MLFLOW_S3_ENDPOINT_URL=http://127.0.0.1:$STORE
export SLIPWAY_DATA=$WORK/data
serve track "http://127.0.0.1:$TRACK/health" \
    "mlflow server --backend-store-uri postgresql://mlflowuser:mlflowpassword@127.0.0.1:$DATABASE/mlflow --default-artifact-root s3://mlflow/ --host 0.0.0.0 --port $TRACK" \
    "21 to 50 s (mlflow 3.17.2 on this project's machine, docs/compatibility/mlflow.md)"
show 'curl -fsS -w "\n" http://localhost:$TRACK/health'
expect 'OK'
show 'curl -fsS -w "\n" http://localhost:$TRACK/version'

step "Train, log, register and load back, with the document's client and with a new one"
export MLFLOW_TRACKING_URI=http://localhost:$TRACK MLFLOW_DISABLE_TELEMETRY=true GIT_PYTHON_REFRESH=quiet
show '$OLD_PYTHON train.py'
expect 'mlflow 1.30.0' 's3://mlflow/1/' 'iris version 1' '20 losses'
show '$PYTHON train.py'
expect 'mlflow 3.17.2' 's3://mlflow/1/' 'iris version 2' '20 losses' '2 runs'

step "Where it is kept"
show 'PGPASSWORD=mlflowpassword psql -h 127.0.0.1 -p $DATABASE -U mlflowuser -d mlflow -c "SELECT run_name, status, artifact_uri FROM runs ORDER BY run_number"'
expect 'mlflow 1.30.0' 'mlflow 3.17.2' '(2 rows)'
show 'mc ls -r mlflowminio/mlflow'
expect 'MLmodel' 'model.pkl' 'features.txt'

step "The web interface: http://localhost:$TRACK and http://localhost:$CONSOLE"
show 'curl -fsS http://localhost:$TRACK/ | head -8'
expect '<html'
show 'curl -fsS -o /dev/null -w "%{http_code}\n" http://localhost:$CONSOLE/'
expect '200'
show 'curl -fsS "http://localhost:$TRACK/ajax-api/2.0/mlflow/registered-models/get?name=iris" | $PYTHON -m json.tool'
expect '"champion"' '"Production"'

step "Mistakes that are easily made"
refuse 'mlflow server --backend-store-uri postgresql://mlflowuser:wrong@127.0.0.1:$DATABASE/mlflow --port $NOBODY'
expect 'password authentication failed' 'check the user and the password'
refuse 'mlflow server --backend-store-uri postgresql://mlflowuser:mlflowpassword@127.0.0.1:$DATABASE/mlfow --port $NOBODY'
expect 'database "mlfow" does not exist'
refuse 'mlflow server --backend-store-uri postgresql://mlflowuser:mlflowpassword@127.0.0.1:$NOBODY/mlflow'
expect 'Connection refused' 'start PostgreSQL'
refuse 'MLFLOW_TRACKING_URI=http://localhost:$NOBODY MLFLOW_HTTP_REQUEST_MAX_RETRIES=1 $PYTHON train.py 2>&1 | tail -1'
expect 'Connection refused'
refuse 'AWS_SECRET_ACCESS_KEY=wrong $PYTHON train.py 2>&1 | tail -1'
expect 'SignatureDoesNotMatch'
show 'curl -fsS -H "Content-Type: application/json" -d "{\"name\": \"lost\", \"artifact_location\": \"s3://nowhere/\"}" http://localhost:$TRACK/api/2.0/mlflow/experiments/create'
refuse '$PYTHON train.py lost 2>&1 | tail -1'
expect 'NoSuchBucket'

step "PostgreSQL restarts; the tracking server goes on"
show '$ROOT/scripts/postgres restart $CLUSTER'
show '$PYTHON train.py'
expect 'iris version 3' '4 runs'
memory track "1.6 to 2.5 GiB (mlflow 3.17.2 with 4 workers, docs/compatibility/mlflow.md)"
memory store
