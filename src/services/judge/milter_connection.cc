#include "services/judge/milter_connection.h"

#include <array>
#include <utility>

namespace tapal::judge {
namespace {

constexpr std::size_t read_bytes = 16UL * 1024;

}  // namespace

Task<Result<milter::Outcome>> MilterConnection::play(milter::Message message, const Body& body) {
  result_ = fail(Code::internal, "it says nothing");
  if (std::exchange(is_ready_, false))
    session_.start(std::move(message), loop_.now());
  else
    message_ = std::move(message);
  for (;;) {
    while (auto action = session_.next_action()) {
      const bool over = co_await perform(*std::move(action), body);
      if (over) co_return std::move(result_);
    }
    co_await read();
  }
}

Task<bool> MilterConnection::perform(milter::Action action, const Body& body) {
  if (const auto* bytes = std::get_if<milter::Send>(&action)) {
    co_await send(*bytes);
  } else if (const auto* want = std::get_if<milter::WantBody>(&action)) {
    give(*want, body);
  } else if (std::holds_alternative<milter::Ready>(action)) {
    is_ready_ = !message_;
    if (is_ready_) co_return true;
    // NOLINTNEXTLINE(bugprone-unchecked-optional-access): is_ready_ tells that there is one
    session_.start(*std::exchange(message_, {}), loop_.now());
  } else if (auto* done = std::get_if<milter::Done>(&action)) {
    result_ = std::move(done->outcome);
  } else if (auto* failed = std::get_if<milter::Failed>(&action)) {
    if (!result_)
      result_ = fail(is_late_ ? Code::timed_out : Code::internal, std::move(failed->what));
    co_return true;
  }
  co_return false;
}

Task<void> MilterConnection::send(milter::Send bytes) {
  const auto written = co_await stream_->write(bytes.bytes, session_.deadline());
  if (written) co_return;
  is_late_ = written.error().code == Code::timed_out;
  session_.on_closed(written.error().what);
}

void MilterConnection::give(const milter::WantBody& want, const Body& body) {
  piece_.resize(want.bytes_max);
  const auto count = body.read(want.offset, piece_);
  if (count)
    session_.on_body({piece_.data(), *count}, loop_.now());
  else
    session_.on_closed(count.error().what);
}

Task<void> MilterConnection::read() {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): read() fills it
  std::array<char, read_bytes> buffer;
  const auto count = co_await stream_->read(buffer, session_.deadline());
  if (count) {
    session_.on_bytes({buffer.data(), *count}, loop_.now());
    co_return;
  }
  is_late_ = count.error().code == Code::timed_out;
  if (is_late_)
    session_.on_time(loop_.now());
  else
    session_.on_closed(count.error().what);
}

}  // namespace tapal::judge
