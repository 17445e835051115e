// For the contract tests of providers: a HttpClient that plays a script and takes nothing that is
// not in it: method, URL, header fields, body, order.
#pragma once

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "drivers/dnsapi/providers.h"
#include "drivers/dnsapi/record_forms.h"
#include "ports/test_fakes.h"
#include "ports/test_loop.h"

namespace tapal::dnsapi {

inline void PrintTo(const http::Header& header, std::ostream* out) {
  *out << header.name << ": " << header.value;
}

class ScriptedHttp final : public HttpClient {
 public:
  // Every request goes to this URL and has these header fields (User-Agent is taken for granted).
  std::string url;
  std::vector<http::Header> headers;

  struct Step {
    std::string method;
    std::string target;  // behind `url`
    std::string body;
    Result<http::Response> answer;
    std::vector<http::Header> more;  // header fields of this one alone
  };
  Step& on(std::string method, std::string target, std::string body = {}) {
    steps_.push_back({std::move(method), std::move(target), std::move(body), http::Response(), {}});
    return steps_.back();
  }
  // The answer to the step last named.
  void answer(int status, std::string body = {}, std::vector<http::Header> fields = {}) {
    steps_.back().answer = http::Response{status, std::move(fields), std::move(body)};
  }
  void fails(Code code) { steps_.back().answer = fail(code, "api.example: as the test says"); }

  Task<Result<http::Response>> send(Loop& /*loop*/, HttpRequest request) override {
    if (steps_.empty()) {
      ADD_FAILURE() << "not in the script: " << request.method << " " << request.url << "\n"
                    << request.body;
      co_return tapal::fail(Code::try_later, "not in the script");
    }
    auto step = std::move(steps_.front());
    steps_.pop_front();
    EXPECT_EQ(request.method + " " + request.url, step.method + " " + url + step.target);
    EXPECT_EQ(request.body, step.body);
    auto wanted = headers;
    wanted.insert(wanted.end(), step.more.begin(), step.more.end());
    wanted.push_back({"User-Agent", "tapal"});
    const auto by_name = [](std::vector<http::Header> fields) {
      std::ranges::sort(
          fields, {}, [](const http::Header& field) { return std::pair(field.name, field.value); });
      return fields;
    };
    EXPECT_EQ(by_name(request.headers), by_name(wanted));
    sent.push_back(std::move(request));
    co_return step.answer;
  }
  Step& steps_back() { return steps_.back(); }
  bool is_over() const { return steps_.empty(); }

  std::vector<HttpRequest> sent;

 private:
  std::deque<Step> steps_;
};

class NoNetwork final : public Network {
 public:
  Task<Result<std::unique_ptr<Stream>>> connect(Endpoint,
                                                std::optional<IpAddress>,
                                                Instant) override {
    co_return fail(Code::try_later, "there is no network in this test");
  }
};

// One account at one provider, and the script its calls are held to.
struct AccountTest : testing::Test {
  VirtualLoop loop;
  ScriptedHttp http;
  NoNetwork network;
  TableOfNames resolver;
  SeededRandom random;
  World world{http, network, resolver, loop, random};
  std::unique_ptr<DnsAccount> account;

  void open(std::string_view provider, Credentials credentials) {
    AccountOptions options;
    options.credentials = std::move(credentials);
    options.url = http.url;
    auto opened = make_dns_account(provider, std::move(options), world);
    ASSERT_TRUE(opened) << opened.error().what;
    account = std::move(*opened);
  }
  void TearDown() override {
    EXPECT_TRUE(http.is_over()) << "the script was not played to its end";
  }

  Result<std::string> find_zone(std::string name) {
    return *loop.wait(account->find_zone(loop, std::move(name)));
  }
  Result<dns::RecordSet> read(std::string name, dns::Type type, std::string zone = "example.com") {
    return *loop.wait(account->read(loop, std::move(zone), std::move(name), type));
  }
  Result<void> write(std::vector<dns::RecordSet> sets, std::string zone = "example.com") {
    return *loop.wait(account->write(loop, std::move(zone), std::move(sets)));
  }
  // Data as master files have it.
  static dns::RecordSet set(std::string name,
                            dns::Type type,
                            const std::vector<std::string>& contents,
                            int ttl = 3600) {
    dns::RecordSet made{std::move(name), type, std::chrono::seconds(ttl), {}};
    for (const auto& content : contents)
      made.data.push_back(data_from_content(type, content).value());
    return made;
  }
};

}  // namespace tapal::dnsapi
