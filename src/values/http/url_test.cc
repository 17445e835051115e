#include "values/http/url.h"

namespace tapal::http {
namespace {

using Scheme = Url::Scheme;

struct GoodCase {
  const char* text;
  Url url;
  const char* authority;
};

TEST(Url, reads_where_a_request_goes) {
  const std::vector<GoodCase> cases = {
      {"http://Example.COM", {Scheme::http, "example.com", 80, "", "/"}, "example.com"},
      {"HTTPS://a.example/x?y=1/2:3",
       {Scheme::https, "a.example", 443, "", "/x?y=1/2:3"},
       "a.example"},
      {"http://a:8080/", {Scheme::http, "a", 8080, "", "/"}, "a:8080"},
      {"https://a:80?q", {Scheme::https, "a", 80, "", "/?q"}, "a:80"},
      {"http://192.0.2.1:1/", {Scheme::http, "192.0.2.1", 1, "", "/"}, "192.0.2.1:1"},
      {"http://[2001:DB8::1]/p", {Scheme::http, "2001:db8::1", 80, "", "/p"}, "[2001:db8::1]"},
      {"http://[::1]:11333/", {Scheme::http, "::1", 11333, "", "/"}, "[::1]:11333"},
      {"http+unix:///run/x.sock:/a?b",
       {Scheme::http_unix, "localhost", 0, "/run/x.sock", "/a?b"},
       "localhost"},
      {"http+unix:///run/x.sock",
       {Scheme::http_unix, "localhost", 0, "/run/x.sock", "/"},
       "localhost"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.text);
    const auto url = parse_url(c.text);
    ASSERT_TRUE(url) << url.error().what;
    EXPECT_EQ(*url, c.url);
    EXPECT_EQ(url->authority(), c.authority);
  }
}

TEST(Url, refuses_what_it_would_misread) {
  for (const std::string text : {"",
                                 "example.com/x",
                                 "ftp://example.com/",
                                 "http:/example.com",
                                 "http://",
                                 "http:///path",
                                 "http://:80/",
                                 "http://a:0/",
                                 "http://a:65536/",
                                 "http://a:/",
                                 "http://a:8 0/",
                                 "http://user@example.com/",
                                 "http://user:pass@example.com/",
                                 "http://a/b#c",
                                 "http://a/ b",
                                 "http://a\r\nX: y/",
                                 "http://a\\@b/",
                                 "http://b\xc3\xbc.example/",
                                 "http://[::1/",
                                 "http://[192.0.2.1]/",
                                 "http://::1/",
                                 "http+unix://x.sock:/a",
                                 "http+unix:///:/a",
                                 "http+unix:///x.sock:a"}) {
    SCOPED_TRACE(text);
    const auto url = parse_url(text);
    ASSERT_FALSE(url);
    EXPECT_EQ(url.error().code, Code::invalid);
  }
  EXPECT_FALSE(parse_url("http://a/" + std::string(url_bytes_max, 'x')));
}

}  // namespace
}  // namespace tapal::http
