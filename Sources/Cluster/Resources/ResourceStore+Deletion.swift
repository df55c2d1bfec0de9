// Deletion. An object goes at once unless something must happen first: a finalizer, a namespace's content, a pod's
// processes. Then it is marked with `deletionTimestamp` and stays, and goes when the last of those is done.

import Clock
import Formats
import Synchronization

/// What becomes of the objects that name a deleted one as their owner.
package enum DeletionPropagation: String, Sendable {
    /// The owner goes first; the collector deletes the dependents after.
    case background = "Background"
    /// The owner stays, terminating, until its dependents have gone.
    case foreground = "Foreground"
    /// Dependents stay and lose the reference.
    case orphan = "Orphan"
}

/// How to delete an object.
package struct DeletionOptions: Sendable {
    package var propagation = DeletionPropagation.background
    /// For pods: how long their processes get to end. Nil is the pod's own setting, 0 removes the object at once.
    package var gracePeriodSeconds: Int?
    /// Refuse unless the object has this uid.
    package var uid: String?
    /// Refuse unless the object has this version.
    package var version: UInt64?
    package var dryRun = false

    package init() {}
}

extension ResourceStore {
    package static let foregroundFinalizer = "foregroundDeletion"
    package static let orphanFinalizer = "orphan"

    /// Deletes an object, or marks it for deletion. Returns its last state: `isTerminating` when it is only marked.
    @discardableResult
    package func delete(_ key: ResourceKey, _ options: DeletionOptions = DeletionOptions()) async throws -> Resource {
        try await commit { state in
            guard let current = state.latest(key) else { throw ClusterError.notFound(key.kind, key.name) }
            try Self.checkPreconditions(options, current)
            guard var object = Self.marked(current, options) else {
                if options.dryRun { return .nothingToDo(current) }
                let last = state.versioned(key, current.json)
                return .change(ResourceEvent(change: .deleted, resource: last, previous: current))
            }
            if key.kind == .namespace { object[path: "status", "phase"] = "Terminating" }
            if object == current.json || options.dryRun {
                return .nothingToDo(Resource(key: key, json: object, version: current.version))
            }
            let next = state.versioned(key, object)
            return .change(ResourceEvent(change: .modified, resource: next, previous: current))
        }
    }

    private static func checkPreconditions(_ options: DeletionOptions, _ current: Resource) throws(ClusterError) {
        if let uid = options.uid, uid != current.uid {
            throw .conflict(
                current.kind, current.name,
                "Precondition failed: UID in precondition: \(uid), UID in object meta: \(current.uid)")
        }
        if let version = options.version, version != current.version {
            throw .conflict(
                current.kind, current.name,
                "Precondition failed: ResourceVersion in precondition: \(version), ResourceVersion in object meta: "
                    + "\(current.version)")
        }
    }

    /// The object with its deletion marks, or nil when nothing keeps it.
    private static func marked(_ current: Resource, _ options: DeletionOptions) -> JSON? {
        var finalizers = current.finalizers
        switch options.propagation {
        case .background: break
        case .foreground where !finalizers.contains(foregroundFinalizer): finalizers.append(foregroundFinalizer)
        case .orphan where !finalizers.contains(orphanFinalizer): finalizers.append(orphanFinalizer)
        case .foreground, .orphan: break
        }
        let grace = graceSeconds(current, options)
        let hasContent = current.kind == .namespace && !(current.spec["finalizers"]?.arrayValue ?? []).isEmpty
        guard !finalizers.isEmpty || grace > 0 || hasContent else { return nil }

        var object = current.json
        if finalizers != current.finalizers {
            object[path: "metadata", "finalizers"] = .array(finalizers.map(JSON.string))
        }
        if !current.isTerminating {
            object[path: "metadata", "deletionTimestamp"] = .string(
                WallTime.now.advanced(seconds: Int64(grace)).iso8601())
        }
        if current.kind.deletesGracefully {
            // A second deletion may shorten the grace, never lengthen it.
            let before = current.metadata["deletionGracePeriodSeconds"]?.intValue ?? .max
            object[path: "metadata", "deletionGracePeriodSeconds"] = .int(min(before, Int64(grace)))
        }
        return object
    }

    /// Seconds that the processes of a pod get; 0 for everything that has none any more.
    private static func graceSeconds(_ current: Resource, _ options: DeletionOptions) -> Int {
        guard current.kind.deletesGracefully else { return 0 }
        let phase = current.status["phase"]?.stringValue ?? "Pending"
        if phase == "Succeeded" || phase == "Failed" { return 0 }
        // A pod that no runner has taken up has no processes.
        if (current.spec["nodeName"]?.stringValue ?? "").isEmpty { return 0 }
        let own = current.spec["terminationGracePeriodSeconds"]?.intValue.map { Int(clamping: $0) } ?? 30
        return max(0, options.gracePeriodSeconds ?? own)
    }
}
