#!/usr/bin/env bash
# The fourth document, command by command: sources and dated models as zips, fetched, loaded and swapped while requests
# flow. See README.md.
source "$(dirname "$0")/../tools.sh"
begin model-pack
free_port STORE SFTP FOLDER_PACK S3_PACK SFTP_PACK KUBE POD
export MINIO_ROOT_USER=minio MINIO_ROOT_PASSWORD=miniostorage TF_CPP_MIN_LOG_LEVEL=3 TF_ENABLE_ONEDNN_OPTS=0
export AWS_ACCESS_KEY_ID=$MINIO_ROOT_USER AWS_SECRET_ACCESS_KEY=$MINIO_ROOT_PASSWORD AWS_ENDPOINT_URL=http://127.0.0.1:$STORE
trained="$WORK/trained"

step "Two models with real data: a TensorFlow session on handwritten digits, a random forest on the breast cancer data"
show "python train_tf.py 40 $trained/test_model/model/20201104.zip 2> $WORK/train.log"
show "python train_tf.py 600 $trained/test_model/model/20201107.zip 2> $WORK/train.log"
expect "accuracy 0.9"
show "python train_sklearn.py 50 $trained/test_model_sci/model/20201103.zip"
show "python pack_sources.py test_model/src $trained/test_model/src/test_model.zip"
show "python pack_sources.py test_model_sci/src $trained/test_model_sci/src/test_model_sci.zip"
show "cd $trained && find . -type f | sort"

step "The storage: our store, filled with mc"
serve store "http://127.0.0.1:$STORE/minio/health/ready" "slipway store $WORK/store --address 127.0.0.1:$STORE"
show "mc alias set myminio http://127.0.0.1:$STORE $MINIO_ROOT_USER $MINIO_ROOT_PASSWORD"
show "mc mb --ignore-existing myminio/packs"
show "mc cp $trained/test_model/src/test_model.zip myminio/packs/test_model/src/test_model.zip"
show "mc cp $trained/test_model/model/20201104.zip myminio/packs/test_model/model/20201104.zip"
show "mc ls myminio/packs/test_model/model/"

step "kubectl apply -f pod-info.yaml"
serve cluster "http://127.0.0.1:$KUBE/readyz" \
    "slipway cluster --insecure --port $KUBE --data $WORK/cluster --host-paths $WORK/shared --runtime $ROOT/runtime"
export KUBECONFIG=$WORK/cluster/kubeconfig
sed "s|hostPort: 8000|hostPort: $POD|; s|127.0.0.1:9000|127.0.0.1:$STORE|; s|/srv/models|$WORK/shared|" pod-info.yaml > "$WORK/pod-info.yaml"
show "kubectl apply -f $WORK/pod-info.yaml"
show "kubectl wait --for=condition=Ready pod/model-rest-api --timeout=60s"
show "kubectl get pod model-rest-api -o wide"
URL=http://localhost:$POD
until curl -s -o "$WORK/wait" "$URL/health/live"; do sleep 0.1; done

step "Nothing is loaded yet, and it says so"
refuse "curl -sS --fail-with-body -X POST $URL/"
expect "call /src_download, then /model_download"
refuse "curl -sS --fail-with-body $URL/model_download"
expect "call /src_download before /model_download"

step "Source download, model download, the first results"
show "curl -sS --fail-with-body $URL/src_download"
show "curl -sS --fail-with-body $URL/model_download"
expect '"model":"20201104.zip"'
figure "/model_download: fetched, checked, loaded, TensorFlow's import included" "$(sed -n 's/.*"seconds":\([0-9.]*\).*/\1 s/p' <<< "$OUTPUT")"
show "curl -sS --fail-with-body -X POST $URL/"
expect '{"state": "done"}'
show "python ask.py $URL"
expect "digit 0 (영)"
show "python ask.py $URL accuracy"
expect "of 450 images"
show "curl -sS --fail-with-body -d '{\"test\": [[0,0,5,13,9,1,0,0,0,0,13,15,10,15,5,0,0,3,15,2,0,11,8,0,0,4,12,0,0,8,8,0,0,5,8,0,0,9,8,0,0,4,11,0,1,12,7,0,0,2,14,5,10,12,0,0,0,0,6,13,10,0,0,0]]}' $URL/result"
expect '{"result": [{"digit": 0'
echo '{"test": [[0,0,5,13,9,1,0,0,0,0,13,15,10,15,5,0,0,3,15,2,0,11,8,0,0,4,12,0,0,8,8,0,0,5,8,0,0,9,8,0,0,4,11,0,1,12,7,0,0,2,14,5,10,12,0,0,0,0,6,13,10,0,0,0]]}' > "$WORK/digit.json"
latency "/result: one image, a TensorFlow session" -d "@$WORK/digit.json" "$URL/result"
show "kubectl logs model-rest-api | tail -3"
show "ls $WORK/shared/logs $WORK/shared/test_model/*"

step "A newer date, swapped in while 16 clients ask without a pause"
show "mc cp $trained/test_model/model/20201107.zip myminio/packs/test_model/model/20201107.zip"
(sleep 3; curl -sS "$URL/model_download" > "$WORK/swap.json") &
show "python ask.py $URL load 15"
expect " 0 dropped, 2 models seen"
figure "requests answered during a swap, dropped" "$(sed 's/ models.*//' <<< "$OUTPUT" | sed 's/, [0-9]*$//')"
wait $!
show "cat $WORK/swap.json"
expect '"replaced":"20201104.zip"'
show "python ask.py $URL accuracy"
expect "accuracy 0.9"

step "The same name overwrites; an older date comes back by name"
show "mc cp $trained/test_model/model/20201104.zip myminio/packs/test_model/model/20201107.zip"
show "curl -sS --fail-with-body $URL/model_download"
expect '"replaced":"20201107.zip"'
show "curl -sS --fail-with-body '$URL/model_download?date=20201104'"

step "Packs that do not load leave the old one serving and say why"
mkdir -p "$WORK/broken"
sed 's/return session$/pass/' test_model/src/k8s_api_model.py > "$WORK/broken/k8s_api_model.py"
cp -r test_model/src/data test_model/src/k8s_api_utils.py "$WORK/broken/"
show "python pack_sources.py $WORK/broken $WORK/broken.zip && mc cp $WORK/broken.zip myminio/packs/test_model/src/test_model.zip"
show "curl -sS --fail-with-body $URL/src_download"
refuse "curl -sS --fail-with-body $URL/model_download"
expect "load of k8s_api_model returned None; it must return the session; 20201104.zip goes on serving"
show "curl -sS --fail-with-body -X POST $URL/"
show "mc cp $trained/test_model/src/test_model.zip myminio/packs/test_model/src/test_model.zip && curl -sS $URL/src_download"
show "head -c 9000 $trained/test_model/model/20201107.zip > $WORK/cut.zip && mc cp $WORK/cut.zip myminio/packs/test_model/model/20201201.zip"
refuse "curl -sS --fail-with-body $URL/model_download"
expect "20201201.zip cannot be used" "goes on serving"
show "mc rm myminio/packs/test_model/model/20201201.zip"

step "Other mistakes"
show "mc cp $trained/test_model/model/20201107.zip myminio/packs/test_model/model/20241399.zip"
show "curl -sS --fail-with-body $URL/model_download"
expect "20241399.zip in s3://packs/test_model/model is not named after a day"
refuse "curl -sS --fail-with-body '$URL/model_download?date=20201105'"
expect "20201105.zip is not in s3://packs/test_model/model"
refuse "curl -sS --fail-with-body -d '{\"input\": [[1]]}' $URL/result"
expect 'no member \"test\"'
refuse "curl -sS --fail-with-body -d '{\"test\": [[1, 2]]}' $URL/result"
expect "expected rows of 64 pixels, got shape [1, 2]"
show "curl -sS -X POST http://$(kubectl get pod model-rest-api -o jsonpath='{.status.podIP}'):8000/"
expect '{"state": "done"}'
sed "s|name: model-rest-api$|name: second|" "$WORK/pod-info.yaml" > "$WORK/second.yaml"
show "kubectl apply -f $WORK/second.yaml"
tries=0
until kubectl describe pod second > "$WORK/second.txt" && grep -q "free ports" "$WORK/second.txt"; do
    tries=$((tries + 1))
    [ $tries -lt 100 ] || stop_here "nothing is said of the port that is taken"
    sleep 0.1
done
show "kubectl get pod second; grep 'free ports' $WORK/second.txt | tail -1"
expect "Pending" "port $POD belongs to pod default/model-rest-api"
show "kubectl delete pod second"
show "kubectl delete -f $WORK/pod-info.yaml --wait"

step "The previous model is loaded at start, from the shared folder alone"
export MODEL_NAME=test_model MODEL_TYPE=tf
serve pack "http://127.0.0.1:$FOLDER_PACK/health/live" "slipway pack --folder $WORK/shared --port $FOLDER_PACK --runtime $ROOT/runtime"
started=$(milliseconds)
show "curl -sSf --retry 300 --retry-delay 1 --retry-all-errors -X POST http://127.0.0.1:$FOLDER_PACK/ 2> $WORK/retries.log"
expect '{"state": "done"}'
figure "pack: its TensorFlow model loaded, the import included" "$(($(milliseconds) - started)) ms"
memory pack
show "curl -sS --fail-with-body http://127.0.0.1:$FOLDER_PACK/"
show "python ask.py http://127.0.0.1:$FOLDER_PACK accuracy"
end pack

step "scikit-learn, the storage a folder (a mounted NAS)"
export MODEL_NAME=test_model_sci MODEL_TYPE=sklearn
serve sklearn "http://127.0.0.1:$S3_PACK/health/live" \
    "slipway pack --folder $WORK/sci --storage $trained --port $S3_PACK --runtime $ROOT/runtime"
URL=http://127.0.0.1:$S3_PACK
show "curl -sS --fail-with-body $URL/src_download"
show "curl -sS --fail-with-body $URL/model_download"
rows='[[17.99,10.38,122.8,1001,0.1184,0.2776,0.3001,0.1471,0.2419,0.07871,1.095,0.9053,8.589,153.4,0.006399,0.04904,0.05373,0.01587,0.03003,0.006193,25.38,17.33,184.6,2019,0.1622,0.6656,0.7119,0.2654,0.4601,0.1189]]'
show "curl -sS --fail-with-body -d '{\"test\": $rows}' $URL/result"
expect '{"result": [0]}'
latency "/result: one row, scikit-learn" -d "{\"test\": $rows}" "$URL/result"
memory sklearn
end sklearn

step "The storage an SFTP server: a real sshd, a key, a known host"
show "mkdir -p $WORK/nas && cp -r $trained/. $WORK/nas/"
setsid ./sshd.sh "$WORK/ssh" "$SFTP" > "$WORK/sshd.log" 2>&1 &
SERVERS+=($!)
until (: < "/dev/tcp/127.0.0.1/$SFTP") 2> "$WORK/wait"; do sleep 0.1; done
place="sftp://$(id -un)@127.0.0.1:$SFTP$WORK/nas"
serve sftp "http://127.0.0.1:$SFTP_PACK/health/live" \
    "slipway pack --folder $WORK/from-nas --storage $place --sftp-key $WORK/ssh/client --sftp-known-hosts $WORK/ssh/known_hosts --port $SFTP_PACK --runtime $ROOT/runtime"
URL=http://127.0.0.1:$SFTP_PACK
show "curl -sS --fail-with-body $URL/src_download"
show "curl -sS --fail-with-body $URL/model_download"
expect '"model":"20201103.zip"'
show "curl -sS --fail-with-body -d '{\"test\": $rows}' $URL/result"
expect '{"result": [0]}'
end sftp
: > "$WORK/nobody"
serve untrusted "http://127.0.0.1:$SFTP_PACK/health/live" \
    "slipway pack --folder $WORK/from-nas --storage $place --sftp-key $WORK/ssh/client --sftp-known-hosts $WORK/nobody --port $SFTP_PACK --runtime $ROOT/runtime"
refuse "curl -sS --fail-with-body $URL/src_download"
expect "not among those that are trusted" "ssh-keyscan"
end untrusted

step "Mistakes at the start"
refuse "MODEL_TYPE=torch slipway pack --folder $WORK/sci --port 0"
expect "give tf or sklearn"
refuse "slipway pack --folder $WORK/sci --port 0 --storage azure://container/packs"
expect "azure://… is not supported"
refuse "MODEL_NAME= slipway pack --folder $WORK/sci --port 0"
expect "Set MODEL_NAME"
