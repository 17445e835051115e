#include "app/cli/control_client.h"

#include <array>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "app/cli/once.h"
#include "app/settings/settings.h"

namespace tapal::app {

namespace json = boost::json;

namespace {

constexpr std::size_t answer_bytes_max = 1UL << 30U;

constexpr std::chrono::seconds connect_patience{10};

}  // namespace

Task<Result<ControlConnection>> ControlConnection::open(NetLoop& loop,
                                                        std::filesystem::path socket) {
  auto stream = co_await loop.connect_unix(socket.string(), loop.now() + connect_patience);
  if (!stream)
    co_return fail(Code::not_found,
                   "no server answers at " + socket.string() + " (" + stream.error().what + ")");
  co_return ControlConnection(loop, *std::move(stream));
}

Task<Result<std::string>> ControlConnection::ask(std::string request,
                                                 std::chrono::seconds patience) {
  const auto deadline = loop_->now() + patience;
  request += '\n';
  TAPAL_CO_CHECK(co_await stream_->write(request, deadline));
  std::string answer;
  std::array<char, 16384> buffer{};
  while (!answer.ends_with('\n') && answer.size() < answer_bytes_max) {
    TAPAL_CO_TRY(const auto count, co_await stream_->read(buffer, deadline));
    answer.append(buffer.data(), count);
  }
  co_return answer;
}

namespace {

Task<Result<std::string>> ask_once(NetLoop& loop,
                                   std::filesystem::path socket,
                                   std::string request,
                                   std::chrono::seconds patience) {
  TAPAL_CO_TRY(auto server, co_await ControlConnection::open(loop, std::move(socket)));
  co_return co_await server.ask(std::move(request), patience);
}

}  // namespace

Result<std::string> ask_server(const std::filesystem::path& socket,
                               std::string request,
                               std::chrono::seconds patience) {
  return run_once<Result<std::string>>(
      [&](NetLoop& loop) { return ask_once(loop, socket, std::move(request), patience); });
}

std::expected<json::object, int> ask_and_tell(const CommonOptions& common,
                                              const json::object& request) {
  const auto settings = load_settings(common.config);
  if (!settings) return std::unexpected(tell(settings.error()));
  const auto answer = ask_server(settings->control_socket(), json::serialize(request));
  if (!answer) {
    tell(answer.error());
    return std::unexpected(answer.error().code == Code::not_found ? exit_no_server : exit_failed);
  }
  auto object = json::parse(*answer, {}, {.allow_invalid_utf8 = true}).as_object();
  if (common.output == Output::json) print_json(object);
  if (!object.at("ok").as_bool()) {
    if (common.output == Output::text)
      fmt::print(stderr, "tapal: {}\n", object.at("error").as_string().c_str());
    return std::unexpected(exit_failed);
  }
  return object;
}

bool take_effect(const CommonOptions& common) {
  const auto settings = load_settings(common.config);
  if (!settings) return false;
  const auto answer = ask_server(settings->control_socket(), R"({"command":"reload"})");
  if (!answer) return false;
  const auto object = json::parse(*answer).as_object();
  if (object.at("ok").as_bool()) return true;
  fmt::print(stderr,
             "tapal: the server keeps to what it has: {}\n",
             object.at("error").as_string().c_str());
  return false;
}

}  // namespace tapal::app
