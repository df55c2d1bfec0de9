// Watches: a line of JSON for each change, until the client leaves, the time is over, or the history is gone.

import Bytes
import Clock
import Cluster
import Formats
import HTTP

extension KubernetesAPI {
    /// How long a watch lasts when the client does not say, and at most.
    private static let watchSecondsMax = 30 * 60
    /// A quiet watch says so this often: bookmarks keep its position fresh, and writing finds out that a client has
    /// gone.
    private static let bookmarkMilliseconds: UInt64 = 30_000

    func watch(
        _ request: Request, _ path: ResourcePath, _ kind: ResourceKind, _ options: RequestOptions
    ) throws -> Response {
        let presentation = Presentation(request)
        let labels = try options.labelSelector()
        let fields = try options.fieldSelector(for: kind)
        let seconds = min(try options.integer("timeoutSeconds") ?? Self.watchSecondsMax, Self.watchSecondsMax)
        let hasBookmarks = try options.flag("allowWatchBookmarks")
        let wantsInitial = try options.flag("sendInitialEvents")
        if wantsInitial, options.value("resourceVersionMatch") != "NotOlderThan" {
            throw StatusError.badRequest("sendInitialEvents needs resourceVersionMatch=NotOlderThan")
        }
        let version = try options.resourceVersion()
        var initial: [Resource] = []
        let watch: ResourceWatch
        var encoder = WatchEncoder(
            kind: kind, presentation: presentation, includeObject: options.value("includeObject"))
        do {
            if let version, !wantsInitial {
                watch = try store.watch(
                    [kind], namespace: path.namespace, labels: labels, fields: fields, after: version)
            } else {
                let start = try store.listAndWatch([kind], namespace: path.namespace, labels: labels, fields: fields)
                initial = start.list.items
                watch = start.watch
            }
        } catch {
            guard error.code == .expired else { throw error }
            // Clients look for this in the stream.
            return Response(contentType: "application/json", WatchEncoder.error(error))
        }
        var first: [UInt8] = []
        for resource in initial { encoder.append(.added, resource, to: &first) }
        if wantsInitial, hasBookmarks { encoder.appendBookmark(watch.version, endsInitialEvents: true, to: &first) }
        let deadline = MonotonicTime.now.advanced(milliseconds: UInt64(seconds) * 1000)
        let head = first
        let start = encoder
        return Response(
            fields: ["Content-Type": "application/json"],
            body: .stream(length: nil) { writer in
                var encoder = start
                try await writer.write(head)
                try await writer.flush()
                try await Self.follow(watch, until: deadline, hasBookmarks: hasBookmarks, &encoder, writer)
            })
    }

    private static func follow(
        _ watch: ResourceWatch, until deadline: MonotonicTime, hasBookmarks: Bool, _ encoder: inout WatchEncoder,
        _ writer: any BodyWriter
    ) async throws {
        while case let now = MonotonicTime.now, now < deadline {
            let left = (deadline.nanoseconds - now.nanoseconds) / 1_000_000
            var lines: [UInt8] = []
            do {
                let events = try await watch.next(timeoutMilliseconds: min(left, bookmarkMilliseconds))
                for event in events { encoder.append(event.change, event.resource, to: &lines) }
                if events.isEmpty, hasBookmarks { encoder.appendBookmark(watch.version, to: &lines) }
            } catch let error as ClusterError {
                try await writer.write(WatchEncoder.error(error))
                return
            }
            guard !lines.isEmpty else { continue }
            try await writer.write(lines)
            try await writer.flush()
        }
    }
}

/// Writes watch events in the form the client wants.
struct WatchEncoder {
    private let kind: ResourceKind
    private let presentation: Presentation
    private let includeObject: String?
    /// Column definitions go with the first table only.
    private var hasSentColumns = false

    init(kind: ResourceKind, presentation: Presentation, includeObject: String?) {
        self.kind = kind
        self.presentation = presentation
        self.includeObject = includeObject
    }

    mutating func append(_ change: ResourceEvent.Change, _ resource: Resource, to lines: inout [UInt8]) {
        let type: StaticString =
            switch change {
            case .added: "ADDED"
            case .modified: "MODIFIED"
            case .deleted: "DELETED"
            }
        lines.append("{\"type\":\"")
        lines.append(type)
        lines.append("\",\"object\":")
        switch presentation {
        case .objects: lines.append(contentsOf: resource.encoded)
        case .metadata(let version): lines.append(contentsOf: KubernetesAPI.metadata(resource, version).encoded)
        case .table(let version):
            let table = TableWriter(kind: kind, version: version, includeObject: includeObject)
            lines.append(
                contentsOf: table.encode(
                    [resource], resourceVersion: String(resource.version), withColumns: !hasSentColumns))
            hasSentColumns = true
        }
        lines.append("}\n")
    }

    /// A line that says only how far the watch is.
    mutating func appendBookmark(_ version: UInt64, endsInitialEvents: Bool = false, to lines: inout [UInt8]) {
        var metadata: JSON = ["resourceVersion": .string(String(version))]
        if endsInitialEvents { metadata["annotations"] = ["k8s.io/initial-events-end": "true"] }
        let object: JSON
        switch presentation {
        case .objects:
            object = ["kind": .string(kind.kind), "apiVersion": .string(kind.apiVersion), "metadata": metadata]
        case .metadata(let version):
            object = [
                "kind": "PartialObjectMetadata", "apiVersion": .string("meta.k8s.io/\(version)"), "metadata": metadata,
            ]
        case .table(let version):
            let row: JSON = [
                "cells": [],
                "object": [
                    "kind": "PartialObjectMetadata", "apiVersion": .string("meta.k8s.io/\(version)"),
                    "metadata": metadata,
                ],
            ]
            object = [
                "kind": "Table", "apiVersion": .string("meta.k8s.io/\(version)"),
                "metadata": ["resourceVersion": metadata["resourceVersion"] ?? ""], "columnDefinitions": [],
                "rows": .array([row]),
            ]
        }
        let line: JSON = ["type": "BOOKMARK", "object": object]
        lines.append(contentsOf: line.encoded)
        lines.append("\n")
    }

    static func error(_ error: ClusterError) -> [UInt8] {
        let line: JSON = ["type": "ERROR", "object": StatusError(error).json]
        return line.encoded + [UInt8(ascii: "\n")]
    }
}
