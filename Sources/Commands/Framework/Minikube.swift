/// The program whose place `slipway cluster` takes. Its command line is refused by name, each command with the one here.
enum Minikube {
    static let name = "minikube"

    /// What `minikube WORD...` is told.
    static func refusal(of words: [String]) -> UsageError {
        let command = words.prefix { !$0.hasPrefix("-") }.joined(separator: " ")
        return UsageError(
            command.isEmpty ? "minikube is not part of this program" : "`minikube \(command)` is not needed here",
            hint: wayOut(words.first { !$0.hasPrefix("-") }))
    }

    private static func wayOut(_ command: String?) -> String {
        switch command {
        case "start":
            "`slipway up` starts the cluster with everything else, `slipway cluster` starts it alone; "
                + "then set KUBECONFIG to slipway-data/kubeconfig."
        case "stop", "delete": "Ctrl-C stops `slipway up`; what it keeps is in slipway-data."
        case "addons":
            "`slipway registry`, part of `slipway up`, is the registry on port 5000; the ingress is part of the cluster."
        case "docker-env", "podman-env", "image":
            "Build with the Docker or podman of this machine, and push: docker push localhost:5000/NAME:TAG."
        case "kubectl": "Call kubectl itself, with KUBECONFIG set to slipway-data/kubeconfig."
        case "dashboard": "`slipway up` prints the address of the web console."
        case "ip", "service", "tunnel":
            "The addresses of pods and Services answer on this machine: `kubectl get service` shows them."
        default: "`slipway up` takes the place of `minikube start`; `slipway help` lists the commands."
        }
    }
}
