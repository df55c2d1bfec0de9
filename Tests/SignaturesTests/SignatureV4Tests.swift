import Clock
import HTTP
import Testing

@testable import Signatures

/// The worked examples of the Amazon S3 API reference.
@Suite struct SignatureV4Tests {
    private let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    private let scope = CredentialScope(date: "20130524", region: "us-east-1")

    @Test func getObjectByHeader() throws {
        var fields = HTTPFields()
        fields.append("Host", "examplebucket.s3.amazonaws.com")
        fields.append("Range", "bytes=0-9")
        fields.append("x-amz-content-sha256", SignatureV4.emptyHash)
        fields.append("x-amz-date", "20130524T000000Z")
        let authorization =
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
            + "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
            + "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
        let claim = try SignatureClaim(authorization: authorization) { fields[$0] }
        #expect(claim.accessKey == "AKIAIOSFODNN7EXAMPLE" && claim.scope == scope)
        let key = SignatureV4.signingKey(secret: secret, scope: scope)
        try claim.verify(
            method: "GET", path: "/test.txt", query: [], fields: fields, payloadHash: SignatureV4.emptyHash,
            signingKey: key)
        // Each thing that is signed, altered.
        for (method, path, query, hash) in [
            ("HEAD", "/test.txt", [], SignatureV4.emptyHash), ("GET", "/test.txu", [], SignatureV4.emptyHash),
            ("GET", "/test.txt", [("a", "")], SignatureV4.emptyHash), ("GET", "/test.txt", [], "UNSIGNED-PAYLOAD"),
        ] as [(String, String, [(name: String, value: String)], String)] {
            #expect(throws: SignatureError.self) {
                try claim.verify(
                    method: method, path: path, query: query, fields: fields, payloadHash: hash, signingKey: key)
            }
        }
        fields.append("x-amz-acl", "private")
        let error = #expect(throws: SignatureError.self) {
            try claim.verify(
                method: "GET", path: "/test.txt", query: [], fields: fields, payloadHash: SignatureV4.emptyHash,
                signingKey: key)
        }
        #expect(error?.code == .fieldsNotSigned)
    }

    @Test func presignedGet() throws {
        let query: [(name: String, value: String)] = [
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
            ("X-Amz-Credential", "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request"),
            ("X-Amz-Date", "20130524T000000Z"), ("X-Amz-Expires", "86400"), ("X-Amz-SignedHeaders", "host"),
            ("X-Amz-Signature", "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"),
        ]
        let claim = try SignatureClaim(query: query)
        try claim.verify(
            method: "GET", path: "/test.txt", query: query, fields: ["Host": "examplebucket.s3.amazonaws.com"],
            payloadHash: "UNSIGNED-PAYLOAD", signingKey: SignatureV4.signingKey(secret: secret, scope: scope))
        let signed = try claim.moment()
        try claim.checkTime(now: signed.advanced(seconds: 86_399))
        #expect(throws: SignatureError(.expired, "Request has expired.")) {
            try claim.checkTime(now: signed.advanced(seconds: 86_400))
        }
        #expect(throws: SignatureError.self) { try claim.checkTime(now: signed.advanced(seconds: -901)) }
    }

    @Test(arguments: ["0", "-1", "604801", "x", ""])
    func presignedTermsOutOfRange(expires: String) {
        let error = #expect(throws: SignatureError.self) {
            _ = try SignatureClaim(query: [
                ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"), ("X-Amz-Credential", "a/20130524/us-east-1/s3/aws4_request"),
                ("X-Amz-Date", "20130524T000000Z"), ("X-Amz-Expires", expires), ("X-Amz-SignedHeaders", "host"),
                ("X-Amz-Signature", "00"),
            ])
        }
        #expect(error?.code == .queryMalformed)
    }

    @Test(arguments: [
        "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=a/20130524/us-east-1/s3/aws4_request",
        "AWS4-HMAC-SHA256 Credential=a,SignedHeaders=host,Signature=0",
        "AWS4-HMAC-SHA256 Credential=a/2013/us-east-1/s3/aws4_request,SignedHeaders=host,Signature=0",
        "AWS4-HMAC-SHA256 garbage",
        "AWS4-HMAC-SHA256 Credential=a/20130525/us-east-1/s3/aws4_request,SignedHeaders=host,Signature=0",
    ])
    func malformedAuthorization(text: String) {
        let error = #expect(throws: SignatureError.self) {
            _ = try SignatureClaim(authorization: text) { $0 == "x-amz-date" ? "20130524T000000Z" : nil }
        }
        #expect(error?.code == .headerMalformed)
    }

    @Test func aQuarterOfAnHourIsTheMost() throws {
        let text = "AWS4-HMAC-SHA256 Credential=a/20130524/us-east-1/s3/aws4_request,SignedHeaders=host,Signature=0"
        let claim = try SignatureClaim(authorization: text) { $0 == "x-amz-date" ? "20130524T000000Z" : nil }
        let signed = try claim.moment()
        try claim.checkTime(now: signed.advanced(seconds: 900))
        try claim.checkTime(now: signed.advanced(seconds: -900))
        for skew in [901, -901] as [Int64] {
            let error = #expect(throws: SignatureError.self) {
                try claim.checkTime(now: signed.advanced(seconds: skew))
            }
            #expect(error?.code == .skewed)
        }
    }
}
