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

TEST(Url, of_a_request_is_made_of_its_target_and_host) {
  struct Case {
    std::string_view name, target, host, url;
  };
  const Case cases[] = {
      {"origin-form", "/a?b=c", "Example.COM", "http://example.com/a?b=c"},
      {"with a port", "/", "example.com:8080", "http://example.com:8080/"},
      {"an address", "/x", "[::1]:80", "http://[::1]/x"},
      {"two slashes are a path",
       "//other.example/",
       "example.com",
       "http://example.com//other.example/"},
      {"absolute-form, before the host", "http://a.example/x", "b.example", "http://a.example/x"},
  };
  for (const auto& [name, target, host, url] : cases) {
    SCOPED_TRACE(name);
    const auto asked = requested_url(Url::Scheme::http, target, host);
    ASSERT_TRUE(asked) << asked.error().what;
    EXPECT_EQ(*asked, parse_url(url).value());
  }
  EXPECT_EQ(requested_url(Url::Scheme::https, "/", "a.example").value().port, 443);
  EXPECT_EQ(parse_url("http://a.example/x/y?z=/").value().path(), "/x/y");
}

TEST(Url, of_a_request_is_refused_where_it_could_mean_two_things) {
  struct Case {
    std::string_view name, target, host;
  };
  const Case cases[] = {
      {"no host", "/", ""},
      {"a path for a host", "/", "a.example/x"},
      {"a user", "/", "me@a.example"},
      {"a space", "/a b", "a.example"},
      {"a line's end", "/a\r\nX: y", "a.example"},
      {"beyond ASCII", "/\xC3\xBC", "a.example"},
      {"asterisk-form", "*", "a.example"},
      {"authority-form", "a.example:443", "a.example"},
      {"another scheme", "ftp://a.example/", "a.example"},
      {"a socket", "http+unix:///etc/x:/", "a.example"},
      {"nothing", "", "a.example"},
  };
  for (const auto& [name, target, host] : cases) {
    SCOPED_TRACE(name);
    EXPECT_FALSE(requested_url(Url::Scheme::http, target, host));
  }
}

}  // namespace
}  // namespace tapal::http
