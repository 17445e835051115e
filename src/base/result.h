// How every fallible function reports failure.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <utility>

namespace tapal {

// One code per reaction, not per cause: add a code only when some caller acts on it.
enum class Code : std::uint8_t {
  invalid,    // the input is wrong; trying again will not help
  not_found,  // the thing asked for is not there
  denied,     // the system or a rule refuses access
  timed_out,  // a deadline passed
  closed,     // the other side is gone
  full,       // no room: disk, queue or memory bound reached
  try_later,  // may work another time
  internal,   // a defect or an unexpected answer of a library
};

struct Error {
  Code code = Code::internal;
  std::string what;  // for a person, never parsed; no secrets
};

template <class T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(Code code, std::string what) {
  return std::unexpected(Error{code, std::move(what)});
}

}  // namespace tapal

#define TAPAL_JOIN_(a, b) a##b
#define TAPAL_JOIN(a, b) TAPAL_JOIN_(a, b)
#define TAPAL_TRY_(declaration, expression, leave, result)       \
  auto result = (expression);                                    \
  if (!result) leave std::unexpected(std::move(result).error()); \
  declaration = *std::move(result)
#define TAPAL_CHECK_(expression, leave, result) \
  auto result = (expression);                   \
  if (!result) leave std::unexpected(std::move(result).error())

// TAPAL_TRY(auto name, parse(text)): the value, or leave this function with the error.
#define TAPAL_TRY(declaration, expression) \
  TAPAL_TRY_(declaration, expression, return, TAPAL_JOIN(try_, __COUNTER__))
// TAPAL_CHECK(write(text)): the same for a Result<void>.
#define TAPAL_CHECK(expression) TAPAL_CHECK_(expression, return, TAPAL_JOIN(try_, __COUNTER__))

// The same inside a coroutine.
#define TAPAL_CO_TRY(declaration, expression) \
  TAPAL_TRY_(declaration, expression, co_return, TAPAL_JOIN(try_, __COUNTER__))
#define TAPAL_CO_CHECK(expression) \
  TAPAL_CHECK_(expression, co_return, TAPAL_JOIN(try_, __COUNTER__))
