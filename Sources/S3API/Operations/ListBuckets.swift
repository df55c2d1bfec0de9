import HTTP
import Objects

extension S3Call {
    /// ListBuckets: every bucket of the caller; `prefix`, `max-buckets` and `continuation-token` as Amazon has them.
    func listBuckets() async throws -> Response {
        let prefix = query.value("prefix") ?? ""
        let after = query.value("continuation-token") ?? ""
        let countMax = try query.number("max-buckets", default: ObjectLimits.bucketCountMax)
        let all = try await store.listBuckets().filter {
            $0.owner == identity.ownerID && $0.name.hasPrefix(prefix) && $0.name > after
        }
        var xml = S3XML(root: "ListAllMyBucketsResult")
        xml.begin("Owner")
        xml.leaf("ID", identity.ownerID)
        xml.leaf("DisplayName", identity.displayName)
        xml.end()
        xml.begin("Buckets")
        for bucket in all.prefix(countMax) {
            xml.begin("Bucket")
            xml.leaf("Name", bucket.name)
            xml.leaf("CreationDate", bucket.created)
            xml.leaf("BucketRegion", region)
            xml.end()
        }
        xml.end()
        if all.count > countMax, countMax > 0 { xml.leaf("ContinuationToken", all[countMax - 1].name) }
        if !prefix.isEmpty { xml.leaf("Prefix", prefix) }
        return xml.response()
    }
}
