#include "services/upkeep/noted_texts.h"

#include <utility>

#include "services/upkeep/on_worker.h"
#include "values/text/ascii.h"

namespace tapal::upkeep {
namespace {

std::string line_of(std::string_view name, std::string_view value) {
  return std::string(name) + ' ' + std::string(value);
}

// Where the line begins; npos: it is not there.
std::size_t find_line(std::string_view text, const std::string& line) {
  const auto whole = line + '\n';
  for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
    if (text.substr(at).starts_with(whole)) return at;
    if (text.find('\n', at) == text.npos) break;
  }
  return text.npos;
}

}  // namespace

Task<Result<void>> NotedTexts::edit(Loop& loop, Edit edit, std::string line) {
  const auto rewrite = [this, edit, &line]() -> Result<void> {
    TAPAL_TRY(auto text, note_.read());
    const auto at = find_line(text, line);
    if ((at == text.npos) != (edit == Edit::add)) return {};
    if (edit == Edit::add)
      text += line + '\n';
    else
      text.erase(at, line.size() + 1);
    return note_.write(text);
  };
  co_return co_await on_worker(workers_, loop, rewrite);
}

Task<Result<void>> NotedTexts::add(Loop& loop, std::string name, std::string value) {
  TAPAL_CO_CHECK(co_await edit(loop, Edit::add, line_of(name, value)));
  co_return co_await texts_.add(loop, std::move(name), std::move(value));
}

Task<Result<void>> NotedTexts::remove(Loop& loop, std::string name, std::string value) {
  auto line = line_of(name, value);
  TAPAL_CO_CHECK(co_await texts_.remove(loop, std::move(name), std::move(value)));
  co_return co_await edit(loop, Edit::remove, std::move(line));
}

Task<Result<std::size_t>> NotedTexts::remove_left(Loop& loop) {
  const auto read = [this] { return note_.read(); };
  TAPAL_CO_TRY(const auto text, co_await on_worker(workers_, loop, read));
  std::size_t removed = 0;
  for (const auto line : text::split(text, '\n')) {
    const auto space = line.find(' ');
    if (space == line.npos) continue;
    const auto done = co_await remove(
        loop, std::string(line.substr(0, space)), std::string(line.substr(space + 1)));
    if (done) ++removed;
  }
  co_return removed;
}

}  // namespace tapal::upkeep
