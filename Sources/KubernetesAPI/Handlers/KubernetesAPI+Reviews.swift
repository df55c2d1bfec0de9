// Questions that clients ask about themselves: `kubectl auth can-i`, `auth can-i --list`, `auth whoami`. Whoever holds
// the token may do everything, and the answers say so.

import Cluster
import Formats
import HTTP

extension KubernetesAPI {
    /// Answers a review; nil when `path` names none.
    func respondToReview(_ request: Request, _ path: ResourcePath, user: String) async throws -> Response? {
        let kind: String
        switch (path.group, path.version, path.resource) {
        case ("authorization.k8s.io", "v1", "selfsubjectaccessreviews"): kind = "SelfSubjectAccessReview"
        case ("authorization.k8s.io", "v1", "selfsubjectrulesreviews"): kind = "SelfSubjectRulesReview"
        case ("authentication.k8s.io", "v1", "selfsubjectreviews"): kind = "SelfSubjectReview"
        default: return nil
        }
        guard path.name == nil else { throw StatusError.noSuchPath }
        guard request.method == .post else { throw StatusError.methodNotAllowed(request.method) }
        let body = try await ObjectDecoder.body(of: request)
        var review = try ObjectDecoder.decode(body, mediaType: ObjectDecoder.mediaType(request)).object
        guard review.objectValue != nil, review["kind"]?.stringValue ?? kind == kind else {
            throw StatusError.badRequest("the body must be a \(kind)")
        }
        review["apiVersion"] = .string("\(path.group)/\(path.version)")
        review["kind"] = .string(kind)
        review["metadata"] = ["creationTimestamp": .null]
        switch kind {
        case "SelfSubjectAccessReview":
            review["status"] = ["allowed": true, "reason": "the token stands for the administrator"]
        case "SelfSubjectRulesReview":
            review["status"] = [
                "resourceRules": [["verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]]],
                "nonResourceRules": [["verbs": ["*"], "nonResourceURLs": ["*"]]], "incomplete": false,
            ]
        default:
            review["status"] = [
                "userInfo": ["username": .string(user), "groups": ["system:masters", "system:authenticated"]]
            ]
        }
        return Response(.created, contentType: "application/json", review.encoded)
    }
}
