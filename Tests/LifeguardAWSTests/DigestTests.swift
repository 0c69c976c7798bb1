import Testing

@testable import LifeguardAWS

/// SHA-256 and HMAC by published examples, and at every edge of a block.
@Suite struct DigestTests {
  @Test(arguments: [
    // NIST's examples for FIPS 180-4.
    ("", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
    ("a", 1_000_000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
    // Python's hashlib, around the end of a block and of the room for the length in it.
    ("x", 55, "d5e285683cd4efc02d021a5c62014694958901005d6f71e89e0989fac77e4072"),
    ("x", 56, "04c26261370ee7541549d16dee320c723e3fd14671e66a099afe0a377c16888e"),
    ("x", 63, "75220b47218278e656f2013bb8f0c455a25eaf01e86c64924e9d48d89776d6f2"),
    ("x", 64, "7ce100971f64e7001e8fe5a51973ecdfe1ced42befe7ee8d5fd6219506b5393c"),
    ("x", 65, "9537c5fdf120482f7d58d25e9ed583f52c02b4e304ea814db1633ad565aed7e9"),
  ])
  func `a text has the hash that is published for it`(text: String, times: Int, hash: String) {
    let bytes = Array(String(repeating: text, count: times).utf8)
    #expect(Digest.hexadecimal(Digest.sha256(bytes)) == hash)
  }

  @Test(arguments: [
    // RFC 4231, cases 2 and 6: a short key, and one that is longer than a block.
    (
      Array("Jefe".utf8), "what do ya want for nothing?",
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    ),
    (
      [UInt8](repeating: 0xaa, count: 131),
      "Test Using Larger Than Block-Size Key - Hash Key First",
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
    ),
  ])
  func `a message has the code that is published for it`(
    key: [UInt8], message: String, code: String
  ) {
    #expect(Digest.hexadecimal(Digest.hmac(key, message)) == code)
  }
}
