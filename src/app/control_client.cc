#include "app/control_client.h"

#include <array>
#include <utility>

#include "app/once.h"

namespace tapal::app {
namespace {

constexpr std::chrono::seconds patience{120};
constexpr std::size_t answer_bytes_max = 1UL << 30U;

Task<Result<std::string>> ask(NetLoop& loop, std::filesystem::path socket, std::string request) {
  const auto deadline = loop.now() + patience;
  auto stream = co_await loop.connect_unix(socket.string(), deadline);
  if (!stream)
    co_return fail(Code::not_found,
                   "no server answers at " + socket.string() + " (" + stream.error().what + ")");
  request += '\n';
  TAPAL_CO_CHECK(co_await (*stream)->write(request, deadline));
  std::string answer;
  std::array<char, 16384> buffer{};
  while (!answer.ends_with('\n') && answer.size() < answer_bytes_max) {
    TAPAL_CO_TRY(const auto count, co_await (*stream)->read(buffer, deadline));
    answer.append(buffer.data(), count);
  }
  co_return answer;
}

}  // namespace

Result<std::string> ask_server(const std::filesystem::path& socket, std::string request) {
  return run_once<Result<std::string>>(
      [&](NetLoop& loop) { return ask(loop, socket, std::move(request)); });
}

}  // namespace tapal::app
