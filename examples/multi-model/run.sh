#!/usr/bin/env bash
# The fifth document, command by command: two TensorFlow models in one server, pulled from the object store, called through
# the ingress, replaced and deleted while requests flow. See README.md.
source "$(dirname "$0")/../tools.sh"
begin multi-model
free_port STORE KUBE INGRESS
export MINIO_ROOT_USER=minio MINIO_ROOT_PASSWORD=miniostorage TF_CPP_MIN_LOG_LEVEL=3 TF_ENABLE_ONEDNN_OPTS=0
export MINIO_IP=127.0.0.1 MINIO_PORT=$STORE MINIO_ACCESS_KEY=$MINIO_ROOT_USER MINIO_SECRET_KEY=$MINIO_ROOT_PASSWORD
cp ./*.py ./*.ipynb ./*.yaml "$WORK"
ln -s "$SLIPWAY" "$WORK/mc"
cd "$WORK"

step "1. Train: two notebooks with TensorFlow"
started=$(milliseconds)
show "python run_notebook.py mms-mnist.ipynb 2> mnist.log"
expect "MNIST: 20000 images" "mnist: saved to models/mnist"
show "python run_notebook.py mms-fashion.ipynb 2> fashion.log"
expect "fashion: saved to models/fashion"
figure "train both notebooks" "$(($(milliseconds) - started)) ms"
show "find models -type f | sort"

step "The platform: a store and a cluster"
serve store "http://127.0.0.1:$STORE/minio/health/ready" "slipway store $WORK/store --address 127.0.0.1:$STORE"
serve cluster "http://127.0.0.1:$KUBE/readyz" \
    "slipway cluster --insecure --port $KUBE --data $WORK/cluster --ingress-port $INGRESS --runtime $ROOT/runtime"
export KUBECONFIG=$WORK/cluster/kubeconfig
show "kubectl create namespace mms"

step "2. The S3 Secret and the ServiceAccount"
show "echo -n \$MINIO_ACCESS_KEY | base64; echo -n \$MINIO_SECRET_KEY | base64"
expect $(sed -n 's/^  AWS_[A-Z_]*KEY[A-Z_]*: //p' s3_secret.yaml)
sed -i "s|127.0.0.1:9000|127.0.0.1:$STORE|" s3_secret.yaml
show "kubectl apply -f s3_secret.yaml"
show "kubectl apply -f service-account.yaml"

step "3. The InferenceService (the document: up to 5 minutes)"
started=$(milliseconds)
show "kubectl apply -f inferenceservice.yaml"
show "kubectl wait --for=condition=Ready isvc/triton-mms -n mms --timeout=60s"
figure "InferenceService: applied to READY" "$(($(milliseconds) - started)) ms" "about 5 minutes (the document)"
show "kubectl get inferenceservices triton-mms -n mms"
expect "http://triton-mms.mms.example.com" "True"
show "kubectl get pods -n mms"

step "4. Upload with mc"
show './mc config host add myminio http://${MINIO_IP}:${MINIO_PORT} ${MINIO_ACCESS_KEY} ${MINIO_SECRET_KEY}'
show './mc mb myminio/triton'
show './mc cp -r models/ myminio/triton/models'
show './mc tree myminio/'
expect "triton" "models" "mnist" "fashion"

step "5. The TrainedModels"
started=$(milliseconds)
show "kubectl apply -f mnist.yaml -f fashion.yaml"
show "kubectl wait --for=condition=Ready tm/mnist tm/fashion -n mms --timeout=60s"
figure "both TrainedModels: applied to READY" "$(($(milliseconds) - started)) ms"
show "kubectl get trainedmodel -n mms"
expect "http://triton-mms.mms.example.com/v2/models/mnist/infer" "http://triton-mms.mms.example.com/v2/models/fashion/infer"
memory cluster "16 GB and 4 CPUs for Istio and its sample alone (istio.io, minikube platform setup)"

step "Requests through the ingress"
show "kubectl get inferenceservices triton-mms -o jsonpath='{.status.url}' -n mms | cut -d '/' -f 3"
export SERVICE_HOSTNAME=$OUTPUT
show "kubectl -n istio-system get service ingressgateway -o jsonpath='{.status.loadBalancer.ingress[0].ip}'"
# Port 80 of an address of its own needs root; every user reaches the ingress at its port.
export CLUSTER_IP=$OUTPUT
curl -s -o /dev/null "http://$CLUSTER_IP/" || export CLUSTER_IP=127.0.0.1:$INGRESS
show 'curl -v -H "Host: ${SERVICE_HOSTNAME}" http://${CLUSTER_IP}/v2'
expect '"name":"triton"' '"extensions":["classification"' "binary_tensor_data" "model_repository"
for MODEL_NAME in mnist fashion; do
    export MODEL_NAME
    show 'curl -sv -X POST -H "Host: ${SERVICE_HOSTNAME}" http://${CLUSTER_IP}/v2/models/$MODEL_NAME/infer -d @./${MODEL_NAME}.json'
    expect "\"model_name\":\"$MODEL_NAME\",\"model_version\":\"1\"" '"name":"OUTPUT_0","datatype":"FP32","shape":[1,10]'
done
for MODEL_NAME in mnist fashion; do
    latency "$MODEL_NAME: inference through the ingress, JSON" -H "Host: $SERVICE_HOSTNAME" -d "@$MODEL_NAME.json" "http://$CLUSTER_IP/v2/models/$MODEL_NAME/infer"
done
show 'python check.py mnist http://${CLUSTER_IP} ${SERVICE_HOSTNAME} 0.95'
show 'python check.py fashion http://${CLUSTER_IP} ${SERVICE_HOSTNAME} 0.80'

step "The pod itself, or a Service (the document's way when the ingress does not answer)"
show "kubectl get svc -n mms"
expect "triton-mms " "triton-mms-predictor-default" "80/TCP"
POD_NAME=$(kubectl get pods -n mms -l serving.kserve.io/inferenceservice=triton-mms -o jsonpath='{.items[0].metadata.name}')
export POD_NAME
show 'kubectl get pod $POD_NAME -n mms -o jsonpath="{.status.podIP}"'
export POD_IP=$OUTPUT
# 8080 as KServe's container; it is left out where another server has it at every address of the machine.
show 'kubectl get pod $POD_NAME -n mms -o jsonpath="{.spec.containers[0].ports[?(@.name==\"http\")].containerPort}"'
export POD_PORT=$OUTPUT
show 'curl -s http://$POD_IP:$POD_PORT/v2'
expect '"name":"triton"' '"extensions":["classification"'
show 'kubectl expose pod $POD_NAME -n mms --name=triton-expose --type=NodePort --port=8000 --target-port=$POD_PORT'
show "kubectl get svc triton-expose -n mms -o jsonpath='{.spec.ports[0].nodePort}'"
export NODE_PORT=$OUTPUT
tries=0
until curl -s -o node.json "http://127.0.0.1:$NODE_PORT/v2"; do
    tries=$((tries + 1))
    [ $tries -lt 100 ] || stop_here "the NodePort does not answer"
    sleep 0.1
done
show 'curl -s -X POST http://127.0.0.1:$NODE_PORT/v2/models/mnist/infer -d @./mnist.json'
expect '"model_name":"mnist"'
free_port FORWARD
serve forward "http://127.0.0.1:$FORWARD/v2/health/ready" "kubectl port-forward -n mms $POD_NAME $FORWARD:$POD_PORT"
show 'curl -s -X POST http://127.0.0.1:$FORWARD/v2/models/mnist/infer -d @./mnist.json'
expect '"model_name":"mnist"'
end forward
show "kubectl get isvc triton-mms -n mms -o jsonpath='{.status.address.url}'"
expect "http://triton-mms.mms.svc.cluster.local"
if [ "$(id -u)" = 0 ]; then
    show "kubectl run ask -n default --image=curlimages/curl --restart=Never --command -- curl -sS $OUTPUT/v2"
    show "kubectl wait --for=jsonpath='{.status.phase}'=Succeeded pod/ask --timeout=30s && kubectl logs ask"
    expect '"name":"triton"'
fi

step "One is replaced while both are asked without a pause"
python load.py "http://$CLUSTER_IP" "$SERVICE_HOSTNAME" "$WORK/stop" > load.log 2>&1 &
asking=$!
sleep 1
show './mc cp -r models/mnist/ myminio/triton/models/mnist-2'
show "kubectl patch tm mnist -n mms --type merge -p '{\"spec\":{\"model\":{\"storageUri\":\"s3://triton/models/mnist-2\"}}}'"
tries=0
until kubectl get events -n mms | grep -q 'Loaded s3://triton/models/mnist-2 as mnist'; do
    tries=$((tries + 1))
    [ $tries -lt 100 ] || stop_here "the new model was not loaded"
    sleep 0.2
done
sleep 1
touch "$WORK/stop"
wait "$asking"
show "cat load.log"
expect "mnist:" "fashion:"
[ "$(grep -c ' requests, 0 failed' load.log)" = 2 ] || stop_here "requests failed while a model was replaced"
figure "requests that failed while a model was replaced" 0
rm "$WORK/stop"

step "Likely mistakes"
refuse 'curl -sS --fail-with-body -H "Host: triton-mms.example.com" http://${CLUSTER_IP}/v2'
expect 'no InferenceService has the host \"triton-mms.example.com\"' "known are triton-mms.mms.example.com"

# broken NAME SED_EXPRESSION: a TrainedModel like mnist.yaml with one mistake, and what its status says.
broken() {
    sed -e "s|name: mnist|name: $1|" -e "$2" mnist.yaml > "$1.yaml"
    show "kubectl apply -f $1.yaml"
    refuse "kubectl wait --for=condition=Ready tm/$1 -n mms --timeout=4s"
    show "kubectl get tm $1 -n mms -o jsonpath='{.status.conditions[?(@.type==\"Ready\")].message}'"
}

broken missing-bucket 's|s3://triton/models/mnist|s3://tritn/models/mnist|'
expect 'bucket "tritn" of s3://tritn/models/mnist does not exist' "mc mb"
broken missing-path 's|models/mnist|models/minst|'
expect "there is no object under s3://triton/models/minst"
cp -r models/mnist wrong-signature
sed -i 's/name: "mnist"/name: "wrong-signature"/' wrong-signature/config.pbtxt
python -c "
import pathlib
file = pathlib.Path('wrong-signature/1/model.savedmodel/saved_model.pb')
file.write_bytes(file.read_bytes().replace(b'serving_default', b'classify_images'))"
show './mc cp -r wrong-signature/ myminio/triton/models/wrong-signature'
broken wrong-signature 's|models/mnist|models/wrong-signature|'
expect 'no signature "serving_default" (its signatures: "classify_images")'
broken too-large 's|memory: 1Gi|memory: 4Gi|'
expect "bytes of memory left for TrainedModels"
show "kubectl patch secret s3-secret -n mms --type merge -p '{\"stringData\":{\"AWS_SECRET_ACCESS_KEY\":\"wrong\"}}'"
broken wrong-key 's|models/mnist|models/mnist-2|'
expect "refuses the secret key of the ServiceAccount's Secret"
show "kubectl delete tm missing-bucket missing-path wrong-signature too-large wrong-key -n mms"
show "kubectl get trainedmodel -n mms"
show 'python check.py mnist http://${CLUSTER_IP} ${SERVICE_HOSTNAME} 0.95'

step "Deleting a TrainedModel unloads it; the other serves on"
show "kubectl delete trainedmodel mnist -n mms"
refuse 'curl -sS --fail-with-body -H "Host: ${SERVICE_HOSTNAME}" http://${CLUSTER_IP}/v2/models/mnist'
expect 'model \"mnist\" is not found among the loaded models'
show 'curl -s -X POST -H "Host: ${SERVICE_HOSTNAME}" http://${CLUSTER_IP}/v2/models/fashion/infer -d @./fashion.json'
expect '"model_name":"fashion"'
show "kubectl delete isvc triton-mms -n mms"
tries=0
until ! kubectl get svc triton-mms -n mms > gone.txt 2>&1; do
    tries=$((tries + 1))
    [ $tries -lt 100 ] || stop_here "the Service is still there"
    sleep 0.1
done
show "kubectl get svc -n mms"
