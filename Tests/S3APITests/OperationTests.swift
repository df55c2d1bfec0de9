import Bytes
import Digests
import HTTP
import ServerTesting
import TestFolders
import Testing

@testable import S3API

@Suite struct OperationTests {
    private typealias Options = S3Fixture.Options

    private func fields(_ pairs: KeyValuePairs<String, String>) -> Options {
        var options = Options()
        options.fields = pairs
        return options
    }

    @Test func putGetHeadAndRange() async throws {
        let fixture = try await S3Fixture()
        _ = try await fixture.send(.put, "/bucket")
        let put = try await fixture.send(
            .put, "/bucket/a%20b", Array("hello world".utf8),
            fields(["Content-Type": "text/x", "x-amz-meta-Name": "v", "Cache-Control": "no-store"]))
        #expect(put.status == 200 && put.fields["ETag"] == "\"5eb63bbbe01eeed093cb22bb8f5acdc3\"")
        let get = try await fixture.send(.get, "/bucket/a%20b")
        #expect(get.text == "hello world" && get.fields["Content-Type"] == "text/x")
        #expect(get.fields["x-amz-meta-name"] == "v" && get.fields["Cache-Control"] == "no-store")
        for (range, status, text, content) in [
            ("bytes=0-4", 206, "hello", "bytes 0-4/11"), ("bytes=6-", 206, "world", "bytes 6-10/11"),
            ("bytes=-5", 206, "world", "bytes 6-10/11"), ("bytes=6-999", 206, "world", "bytes 6-10/11"),
            ("bytes=0-0,2-3", 200, "hello world", nil), ("bytes=5-2", 200, "hello world", nil),
            ("lines=1-2", 200, "hello world", nil), ("bytes=99999999999999999999-", 200, "hello world", nil),
        ] as [(String, Int, String, String?)] {
            let part = try await fixture.send(.get, "/bucket/a%20b", [], fields(["Range": range]))
            #expect(part.status == status && part.text == text && part.fields["Content-Range"] == content, "\(range)")
        }
        let none = try await fixture.send(.get, "/bucket/a%20b", [], fields(["Range": "bytes=11-"]))
        #expect(none.status == 416 && none.errorCode == "InvalidRange")
    }

    @Test func promisesOfBodiesAreKept() async throws {
        let fixture = try await S3Fixture()
        _ = try await fixture.send(.put, "/bucket")
        let body = Array("hello".utf8)
        var table: [(String, String, Options)] = [
            ("md5", "BadDigest", fields(["Content-MD5": Base64.encode([UInt8](repeating: 0, count: 16))])),
            ("md5 form", "InvalidDigest", fields(["Content-MD5": "AAAA"])),
            ("crc", "BadDigest", fields(["x-amz-checksum-crc32": "AAAAAA=="])),
            ("crc form", "InvalidRequest", fields(["x-amz-checksum-crc32": "AA=="])),
            (
                "two", "InvalidRequest",
                fields(["x-amz-checksum-crc32": "NhCmhg==", "x-amz-checksum-crc32c": "mnG7TA=="])
            ),
        ]
        var hash = Options()
        hash.payload = Hex.encode(SHA256.hash([1]))
        table.append(("sha256", "XAmzContentSHA256Mismatch", hash))
        for (name, code, options) in table {
            let response = try await fixture.send(.put, "/bucket/k", body, options)
            #expect(response.status == 400 && response.errorCode == code, "\(name): \(response.text)")
        }
        #expect(try await fixture.send(.get, "/bucket/k").errorCode == "NoSuchKey")
        let good = try await fixture.send(.put, "/bucket/k", body, fields(["x-amz-checksum-crc32": "NhCmhg=="]))
        #expect(good.status == 200)
        let get = try await fixture.send(.get, "/bucket/k", [], fields(["x-amz-checksum-mode": "ENABLED"]))
        #expect(get.fields["x-amz-checksum-crc32"] == "NhCmhg==" && get.fields["x-amz-checksum-type"] == "FULL_OBJECT")
    }

    @Test func chunkedBodies() async throws {
        let fixture = try await S3Fixture()
        _ = try await fixture.send(.put, "/bucket")
        func put(_ body: String, length: Int) async throws -> String {
            var options = fields([
                "x-amz-decoded-content-length": "\(length)", "x-amz-trailer": "x-amz-checksum-crc32",
                "Content-Encoding": "aws-chunked",
            ])
            options.payload = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
            let response = try await fixture.send(.put, "/bucket/k", Array(body.utf8), options)
            return response.errorCode ?? "\(response.status)"
        }
        #expect(try await put("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n", length: 5) == "200")
        #expect(try await put("5\r\nhellx\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n", length: 5) == "BadDigest")
        #expect(try await put("5\r\nhello\r\n0\r\n\r\n", length: 5) == "BadRequest")
        #expect(try await put("5\r\nhello\r\n", length: 5) == "IncompleteBody")
        #expect(
            try await put("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n", length: 6) == "IncompleteBody")
        #expect(
            try await put("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n", length: 4) == "IncompleteBody")
        #expect(try await put("zz\r\n", length: 5) == "BadRequest")
        let get = try await fixture.send(.get, "/bucket/k")
        #expect(get.text == "hello" && get.fields["Content-Encoding"] == nil)
    }

    @Test(arguments: [
        ("acl", "public-read", "Access control lists"), ("server-side-encryption", "AES256", "Server-side encryption"),
        ("object-lock-mode", "GOVERNANCE", "Object lock"), ("grant-read", "id=x", "Access control lists"),
    ])
    func whatWouldChangeTheResultIsRefusedByName(field: String, value: String, feature: String) async throws {
        let fixture = try await S3Fixture()
        _ = try await fixture.send(.put, "/bucket")
        var options = Options()
        options.fields = KeyValuePairs(dictionaryLiteral: ("x-amz-\(field)", value))
        let response = try await fixture.send(.put, "/bucket/k", [], options)
        #expect(response.status == 501 && response.errorCode == "NotImplemented")
        #expect(response.element("Message")?.hasPrefix(feature) == true)
    }

    @Test(arguments: ["policy", "lifecycle", "versioning", "encryption", "website", "cors", "replication", "tagging"])
    func configurationsAreRefusedByName(parameter: String) async throws {
        let fixture = try await S3Fixture()
        _ = try await fixture.send(.put, "/bucket")
        let response = try await fixture.send(.put, "/bucket?\(parameter)", Array("<x/>".utf8))
        #expect(response.status == 501 && response.errorCode == "NotImplemented")
    }

    @Test func hostileAddresses() async throws {
        let fixture = try await S3Fixture()
        _ = try await fixture.send(.put, "/bucket")
        for key in [
            "..", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "a/../b", "/lead", "x//y", "%5C", "%F0%9F%98%80", ".minio.sys",
        ] {
            #expect(try await fixture.send(.put, "/bucket/\(key)", [1]).status == 200, "\(key)")
            #expect(try await fixture.send(.get, "/bucket/\(key)").body == [1], "\(key)")
        }
        #expect(try await fixture.execute(.get, "/bucket/%00").errorCode == "InvalidURI")
        #expect(try await fixture.execute(.get, "/bucket/%ff").errorCode == "InvalidURI")
        #expect(
            try await fixture.send(.put, "/bucket/\(String(repeating: "k", count: 1025))").errorCode
                == "KeyTooLongError")
        #expect(try await fixture.send(.put, "/..").errorCode == "InvalidBucketName")
        #expect(try await fixture.send(.put, "/UPPER").errorCode == "InvalidBucketName")
        #expect(fixture.folder.files(in: "").allSatisfy { !$0.contains("passwd") })
    }

    @Test func malformedXML() async throws {
        let fixture = try await S3Fixture()
        _ = try await fixture.send(.put, "/bucket")
        let many = "<Delete>" + String(repeating: "<Object><Key>k</Key></Object>", count: 1001) + "</Delete>"
        let laughs = "<!DOCTYPE a [<!ENTITY b \"c\">]><Delete><Object><Key>&b;</Key></Object></Delete>"
        let deep = String(repeating: "<a>", count: 10_000)
        for body in [
            "", "<Delete>", "<Other/>", "<Delete/>", "<Delete><Object/></Delete>", "\u{0}", many, laughs, deep,
        ] {
            let response = try await fixture.send(.post, "/bucket?delete", Array(body.utf8))
            #expect(response.status == 400 && response.errorCode == "MalformedXML", "\(body.prefix(40))")
        }
        let answer = try await fixture.send(
            .post, "/bucket?delete", Array("<Delete><Object><Key>a&amp;b</Key></Object></Delete>".utf8))
        #expect(answer.status == 200 && answer.element("Key") == "a&amp;b")
    }

    @Test func listingsSayWhatWasAsked() async throws {
        let fixture = try await S3Fixture()
        _ = try await fixture.send(.put, "/bucket")
        for key in ["a/1", "a/2", "b", "c%20d"] { _ = try await fixture.send(.put, "/bucket/\(key)") }
        let first = try await fixture.send(.get, "/bucket?list-type=2&delimiter=/&max-keys=2")
        #expect(first.element("IsTruncated") == "true" && first.element("KeyCount") == "2")
        #expect(first.text.contains("<CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes>"))
        let token = try #require(first.element("NextContinuationToken"))
        let second = try await fixture.send(
            .get, "/bucket?list-type=2&delimiter=/&continuation-token=\(token)&encoding-type=url")
        #expect(second.text.contains("<Key>c%20d</Key>") && !second.text.contains("<Key>b</Key>"))
        #expect(try await fixture.send(.get, "/bucket?list-type=2&max-keys=x").errorCode == "InvalidArgument")
        #expect(try await fixture.send(.get, "/bucket?encoding-type=base64").errorCode == "InvalidArgument")
        #expect(try await fixture.send(.get, "/absent").errorCode == "NoSuchBucket")
    }

    @Test func virtualHostsNameBuckets() async throws {
        let fixture = try await S3Fixture { $0.domains = ["s3.local"] }
        let address = try S3Address(path: "/a/b", host: "Bucket.s3.local:9000", domains: ["s3.local"])
        #expect(address.bucket == "bucket" && address.key == "a/b")
        let plain = try S3Address(path: "/bucket/a", host: "s3.local", domains: ["s3.local"])
        #expect(plain.bucket == "bucket" && plain.key == "a")
        withExtendedLifetime(fixture) {}
    }
}
