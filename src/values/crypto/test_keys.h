// Keys that tests need in a fixed form. All of them are published or made for these tests.
#pragma once

namespace tapal::crypto::test_keys {

// RFC 8463 appendix A.2; PKCS#1.
inline constexpr const char* rsa_1024 =
    "-----BEGIN RSA PRIVATE KEY-----\n"
    "MIICXQIBAAKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQi\n"
    "Y/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqM\n"
    "KrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB\n"
    "AoGAH0cxOhFZDgzXWhDhnAJDw5s4roOXN4OhjiXa8W7Y3rhX3FJqmJSPuC8N9vQm\n"
    "6SVbaLAE4SG5mLMueHlh4KXffEpuLEiNp9Ss3O4YfLiQpbRqE7Tm5SxKjvvQoZZe\n"
    "zHorimOaChRL2it47iuWxzxSiRMv4c+j70GiWdxXnxe4UoECQQDzJB/0U58W7RZy\n"
    "6enGVj2kWF732CoWFZWzi1FicudrBFoy63QwcowpoCazKtvZGMNlPWnC7x/6o8Gc\n"
    "uSe0ga2xAkEA8C7PipPm1/1fTRQvj1o/dDmZp243044ZNyxjg+/OPN0oWCbXIGxy\n"
    "WvmZbXriOWoSALJTjExEgraHEgnXssuk7QJBALl5ICsYMu6hMxO73gnfNayNgPxd\n"
    "WFV6Z7ULnKyV7HSVYF0hgYOHjeYe9gaMtiJYoo0zGN+L3AAtNP9huqkWlzECQE1a\n"
    "licIeVlo1e+qJ6Mgqr0Q7Aa7falZ448ccbSFYEPD6oFxiOl9Y9se9iYHZKKfIcst\n"
    "o7DUw1/hz2Ck4N5JrgUCQQCyKveNvjzkkd8HjYs0SwM0fPjK16//5qDZ2UiDGnOe\n"
    "uEzxBDAr518Z8VFbR41in3W4Y3yCDgQlLlcETrS+zYcL\n"
    "-----END RSA PRIVATE KEY-----\n";

// RFC 8032 section 7.1, test 1; also RFC 8463 appendix A.2.
inline constexpr const char* ed25519 =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
    "-----END PRIVATE KEY-----\n";

// SEC 1.
inline constexpr const char* ec_p256 =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "MHcCAQEEIKwZ7nf3PIhpsRnxRrYNMVyEd+7J+l7JO8bGprCnIulLoAoGCCqGSM49\n"
    "AwEHoUQDQgAEEguGp91tHq/Buy/V1YIS4T+KR5Pre1E4psx4pgoqD3z6c3jdNdxs\n"
    "z0NnDcoe3ofTtZcgp4ysF3dD7GqlIbvmqA==\n"
    "-----END EC PRIVATE KEY-----\n";

inline constexpr const char* rsa_512 =
    "-----BEGIN RSA PRIVATE KEY-----\n"
    "MIIBOwIBAAJBAOmlledGfx/ihWci+MKf6FOYr00+yQf9FyxvTLHal20m94zVfl35\n"
    "Owi+TKmHKpX6jA3SpNY0J8qnK5l69ysyCysCAwEAAQJAL6w1lebwcVUK2yxrjWqL\n"
    "QONagWxaIGMno01iXLe5Re/VqcKXXcKm1TZIcM07g9LMBZAjnxZB1imkPkKOUTY3\n"
    "YQIhAPiIGN0aePt2cjeSg28Tf45G3JoL9I83+FbLmrFe9XHdAiEA8Kr7jjBk+aiP\n"
    "XNxmgw0yA/kd1wnFqo+NoIDclfq1lKcCIQCW2ezVj7LtVwieyJR0gE5FKqfN7QHF\n"
    "SIC5Fh5QGMY8FQIgJPuxcnU/XxonBbcczbC+advjWQM4a/BpbCvBOg7vzmsCIQCR\n"
    "v/tAT4zQE95vDDqzu/OpKSgJ6C6jyCyZifaV2kOINQ==\n"
    "-----END RSA PRIVATE KEY-----\n";

inline constexpr const char* ec_p384 =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "MIGkAgEBBDBKUjdN2NHPDoUOx7cr3i/T5j1kVGdyGCMRCnW1JVd3CUtuf/ZY6Pgp\n"
    "7QKtRfM9mSWgBwYFK4EEACKhZANiAARdKrmUjBf4E9rumBhrWzCAaR6vb5upeyC0\n"
    "C8fd6q6fnyOPm+LtXaCCJlvB30c3fRAUFU26zZEtV5fCXBUwVkQBSG6fNOiCqzmx\n"
    "vkII48Yyc5xv0Knzt14WaQ2LyinRsYg=\n"
    "-----END EC PRIVATE KEY-----\n";

inline constexpr const char* ed448 =
    "-----BEGIN PRIVATE KEY-----\n"
    "MEcCAQAwBQYDK2VxBDsEOWLyI/MA6ca7Ihmc5Ho5/UnIgCmdObTdsX+vHvnIi+cw\n"
    "1+SK59nOn6yGzmzqe0/Xp3Y/nIWKR3hh3A==\n"
    "-----END PRIVATE KEY-----\n";

inline constexpr const char* encrypted_pkcs8 =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
    "MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAiCdYXOhd8AqAICCAAw\n"
    "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEAQIEEP2AZcJfMLTJtaFgb2WYZ3AEQIQl\n"
    "Ocqa4PlGMIgTASjUOYrjq5vJ4EpjrR/izdHFrDGKUiwHni1+qNVr06mOGBkEXt5o\n"
    "X4y0YIce1R9xuMJMCPs=\n"
    "-----END ENCRYPTED PRIVATE KEY-----\n";

inline constexpr const char* encrypted_traditional =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "Proc-Type: 4,ENCRYPTED\n"
    "DEK-Info: AES-128-CBC,FDFC113E029E0C3823EE1E45C0289A92\n"
    "\n"
    "1bJ3uFnz/b1YfEdT7cYP9oAGi+V541ympP6/4o07Fr72ONSw8xKKOcT2J6e8jy56\n"
    "iMxBjpdk9hMpO82KqqbnN6wALRn9tnOiICrtBjUiLAMA/VzkEZtUqZ/iW5/beIYz\n"
    "iikVcypinJgqMIl9pbaoxw5NRxDiifsQM33Hivxti14=\n"
    "-----END EC PRIVATE KEY-----\n";

}  // namespace tapal::crypto::test_keys
