import Formats
import Testing

@testable import Images

struct CredentialTests {
    @Test func dockersConfigurationInItsForms() throws {
        let json = try JSON.parse(
            Array(
                """
                {"auths": {"localhost:5000": {"auth": "dXNlcjpwYTpzcw=="}, "https://index.docker.io/v1/": {"username": "me",
                "password": "secret"}, "empty.io": {}, "broken.io": {"auth": "***"}}}
                """.utf8))
        #expect(
            RegistryCredential.list(dockerConfiguration: json) == [
                RegistryCredential(host: "localhost:5000", user: "user", password: "pa:ss"),
                RegistryCredential(host: "docker.io", user: "me", password: "secret"),
            ])
        #expect(RegistryCredential.list(dockerConfiguration: [:]).isEmpty)
    }

    @Test func challenges() {
        let bearer = AuthenticationChallenge(
            #"Bearer realm="https://auth.io/token?a=b",service="the, \"registry\"", scope=repository:a:pull"#)
        #expect(bearer.scheme == "bearer" && bearer.parameters["realm"] == "https://auth.io/token?a=b")
        #expect(bearer.parameters["service"] == #"the, "registry""#)
        #expect(bearer.parameters["scope"] == "repository:a:pull")
        #expect(AuthenticationChallenge(#"BASIC realm="x"#).parameters == ["realm": "x"])
        #expect(AuthenticationChallenge("").scheme == "")
        #expect(AuthenticationChallenge("Negotiate").parameters.isEmpty)
    }

    @Test(
        arguments: [
            ("", 0, 0, [], "/root"), ("0", 0, 0, [], "/root"), ("app", 1000, 1001, [2000], "/home/app"),
            ("1000", 1000, 1001, [2000], "/home/app"), ("app:extra", 1000, 2000, [], "/home/app"),
            ("app:7", 1000, 7, [], "/home/app"), ("4000", 4000, 0, [], "/"), ("4000:5", 4000, 5, [], "/"),
        ] as [(String, UInt32, UInt32, [UInt32], String)])
    func usersAreLookedUpInTheImage(
        _ text: String, _ user: UInt32, _ group: UInt32, _ more: [UInt32], _ home: String
    ) throws {
        let database = ImageUser.Database(
            users: "root:x:0:0::/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\nbroken\n",
            groups: "root:x:0:\napp:x:1001:app\nextra:x:2000:other,app\n")
        let found = try #require(ImageUser(text, in: database))
        #expect(found.user == user && found.group == group && found.additionalGroups == more && found.home == home)
        #expect(ImageUser("stranger", in: database) == nil && ImageUser("app:strangers", in: database) == nil)
    }
}
