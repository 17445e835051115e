// Calls of a provider's web API: signed anew for each attempt, bounded, patient where the provider
// asks for it, and every refusal an Error in its words.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "ports/clock.h"
#include "ports/http_client.h"
#include "ports/loop.h"

namespace tapal::dnsapi {

struct ApiCall {
  enum class Repeat : std::uint8_t {
    by_method,  // GET, PUT and DELETE may be sent again when it is not known whether they arrived
    harmless,   // so may this one, whatever its method
  };
  std::string method = "GET";
  std::string target;  // behind the base URL: "/zones?name=example.com"
  std::vector<http::Header> headers;
  std::string body;
  Repeat repeat = Repeat::by_method;
};

// What a response that is a "no" says.
struct Refusal {
  std::string words;         // the provider's own, code and text
  std::optional<Code> code;  // where its status alone would mislead; Code::full is tried again
};

// How one provider is spoken to.
struct ApiDialect {
  std::string provider;              // "Cloudflare": errors begin with it
  std::string base_url;              // no final slash
  std::vector<std::string> secrets;  // blanked wherever an error would show one
  // Before each attempt, on what is about to be sent. May be empty.
  std::function<Result<void>(HttpRequest&)> authorize;
  // Nothing: the response tells of no refusal (its status still may). May be empty.
  std::function<std::optional<Refusal>(const http::Response&)> refusal;
};

class ApiClient {
 public:
  static constexpr int attempts_max = 4;
  static constexpr std::chrono::seconds patience{60};  // waiting between the attempts of one call
  static constexpr std::size_t response_bytes_max = 4UL * 1024 * 1024;

  // References must outlive it.
  ApiClient(ApiDialect dialect, HttpClient& http, Clock& clock);

  // A response with a status of 2xx, else what ports/dns_account.h says of errors. not_found (404)
  // may well be an answer.
  Task<Result<http::Response>> send(Loop& loop, ApiCall call);

  // "Cloudflare: ..." with no secret in it.
  std::unexpected<Error> fail(Code code, std::string_view what) const;
  const std::string& provider() const { return dialect_.provider; }

 private:
  struct Trouble {
    Error error;
    bool again = false;                        // another attempt may help
    std::optional<std::chrono::seconds> wait;  // as the provider asks
  };
  HttpRequest request_of(const ApiCall& call) const;
  std::optional<Trouble> trouble_of(const ApiCall& call,
                                    const Result<http::Response>& response) const;
  std::optional<std::chrono::seconds> wait_asked(const http::Response& response) const;

  ApiDialect dialect_;
  HttpClient& http_;
  Clock& clock_;
};

}  // namespace tapal::dnsapi
