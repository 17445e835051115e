// Programs and a web server for tests: every run and request is kept, a function answers it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "ports/http_client.h"
#include "ports/programs.h"

namespace tapal {

inline std::string whole_text(const Body& body) {
  std::string text(static_cast<std::size_t>(body.size()), '\0');
  text.resize(body.read(0, text).value_or(0));
  return text;
}

class FakePrograms final : public Programs {
 public:
  struct Run {
    std::vector<std::string> arguments;
    std::vector<std::string> environment;
    std::string input;  // all of it, as it was given
    ProgramRun::LineEnds line_ends;
    bool has(std::string_view variable) const {
      return std::ranges::find(environment, variable) != environment.end();
    }
  };
  Task<Result<ProgramEnd>> run(Loop& loop, ProgramRun run) override {
    co_await switch_to(loop);
    auto input = run.input + (run.more_input ? whole_text(*run.more_input) : std::string());
    runs.push_back({run.arguments, run.environment, std::move(input), run.line_ends});
    if (answer) co_return answer(runs.back());
    co_return ProgramEnd{};
  }
  void stop() override { stopped = true; }
  std::vector<Run> runs;
  std::function<Result<ProgramEnd>(const Run&)> answer;  // empty: each ends with 0
  bool stopped = false;
};

class FakeHttpClient final : public HttpClient {
 public:
  struct Request {
    HttpRequest request;
    std::string body;  // all of it
    std::string header(std::string_view name) const {
      for (const auto& header : request.headers)
        if (header.name == name) return header.value;
      return {};
    }
  };
  Task<Result<http::Response>> send(Loop& loop, HttpRequest request) override {
    co_await switch_to(loop);
    auto body = request.body + (request.more ? whole_text(*request.more) : std::string());
    requests.push_back({std::move(request), std::move(body)});
    if (answer) co_return answer(requests.back());
    co_return http::Response{.status = 200, .headers = {}, .body = {}};
  }
  std::vector<Request> requests;
  std::function<Result<http::Response>(const Request&)> answer;  // empty: 200
};

}  // namespace tapal
