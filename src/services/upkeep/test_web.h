// The web in memory, for tests.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "ports/http_client.h"

namespace tapal::upkeep {

class TableOfPages final : public HttpClient {
 public:
  Task<Result<http::Response>> send(Loop& loop, HttpRequest request) override {
    co_await switch_to(loop);
    asked.push_back(request.url);
    const auto found = pages.find(request.url);
    if (found == pages.end()) co_return fail(Code::try_later, "nobody there");
    co_return found->second;
  }
  std::map<std::string, http::Response> pages;  // by URL; other places have no server
  std::vector<std::string> asked;
};

}  // namespace tapal::upkeep
