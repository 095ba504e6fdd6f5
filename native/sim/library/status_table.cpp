// Holds a stand-in to what the real library answers: makes the calls that a table lists and
// compares status and outputs with those the table gives.
//
//   status_table LIBRARY TABLE            compares; 1 and one line a difference when there is one
//   status_table LIBRARY TABLE --record   writes the answers of LIBRARY into the table
//
// The tables were recorded from the real CUDA 12.6 libraries, which check most arguments before
// they look for a GPU. A line is
//
//   function argument... : status output...
//
// where an argument is a number, a name given by `let NAME NUMBER`, `&x` (address of the variable
// x, set to 0 first), `%x` (the same, and its value after the call is an output), or `x` (its
// value). A function that returns text is written `$function`, and its answer is the text.
#include <dlfcn.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace {

// Every argument of these libraries is an integer or a pointer, and the x86-64 calling convention
// passes each in a 64-bit slot and lets a caller pass too many: one type calls them all.
constexpr size_t kMaxArguments = 24;
using Word = uint64_t;
using Function = Word (*)(Word, Word, Word, Word, Word, Word, Word, Word, Word, Word, Word, Word,
                          Word, Word, Word, Word, Word, Word, Word, Word, Word, Word, Word, Word);

Word call(void* function, const Word (&a)[kMaxArguments]) {
  return reinterpret_cast<Function>(function)(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8],
                                              a[9], a[10], a[11], a[12], a[13], a[14], a[15], a[16],
                                              a[17], a[18], a[19], a[20], a[21], a[22], a[23]);
}

class Table {
 public:
  explicit Table(void* library) : library_(library) {}

  // What the library answers to a call, as the table writes it.
  std::string answer(const std::string& line) {
    std::istringstream words(line);
    std::string function;
    words >> function;
    const bool text = function[0] == '$';
    if (text) function.erase(0, 1);
    void* address = dlsym(library_, function.c_str());
    if (!address) return "missing";

    Word arguments[kMaxArguments] = {};
    std::vector<std::string> outputs;
    std::string word;
    for (size_t n = 0; words >> word; n++) {
      if (n == kMaxArguments) fail(line, "has too many arguments");
      arguments[n] = value(word, line);
      if (word[0] == '%') outputs.push_back(word.substr(1));
    }
    const Word result = call(address, arguments);
    if (text) return reinterpret_cast<const char*>(result);
    std::string answer = std::to_string(static_cast<int>(result));
    for (const std::string& output : outputs)
      answer += " " + std::to_string(static_cast<int64_t>(variables_[output]));
    return answer;
  }

  void let(const std::string& name, const std::string& number) {
    names_[name] = value(number, number);
  }

 private:
  Word value(const std::string& word, const std::string& line) {
    if (word[0] == '&' || word[0] == '%') {
      Word& variable = variables_[word.substr(1)];
      variable = 0;
      return reinterpret_cast<Word>(&variable);
    }
    if (names_.count(word)) return names_[word];
    if (variables_.count(word)) return variables_[word];
    char* end;
    const Word number = std::strtoull(word.c_str(), &end, 0);  // a minus wraps, as it should
    if (*end) fail(line, ("has the unknown word " + word).c_str());
    return number;
  }

  [[noreturn]] static void fail(const std::string& line, const char* why) {
    std::fprintf(stderr, "the line \"%s\" %s\n", line.c_str(), why);
    std::exit(2);
  }

  void* library_;
  std::map<std::string, Word> names_, variables_;
};

}  // namespace

int main(int argc, char** argv) {
  const bool record = argc == 4 && !std::strcmp(argv[3], "--record");
  if (argc != 3 && !record) {
    std::fprintf(stderr, "usage: status_table LIBRARY TABLE [--record]\n");
    return 2;
  }
  void* library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  std::ifstream file(argv[2]);
  if (!library || !file) {
    std::fprintf(stderr, "cannot open %s\n", library ? argv[2] : dlerror());
    return 2;
  }
  Table table(library);
  std::ostringstream recorded;
  int calls = 0, differences = 0;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string first, name, number;
    words >> first;
    if (first.empty() || first[0] == '#') {
      recorded << line << "\n";
    } else if (first == "let") {
      words >> name >> number;
      table.let(name, number);
      recorded << line << "\n";
    } else {
      const size_t colon = line.find(" : ");
      const std::string made = line.substr(0, colon);
      const std::string expected = colon == std::string::npos ? "" : line.substr(colon + 3);
      const std::string got = table.answer(made);
      recorded << made << " : " << got << "\n";
      calls++;
      if (got != expected) differences++;
      if (got != expected && !record)
        std::printf("%s : %s, but the real library answers %s\n", made.c_str(), got.c_str(),
                    expected.c_str());
    }
  }
  if (record) std::ofstream(argv[2]) << recorded.str();
  std::printf("%d calls, %d %s\n", calls, differences, record ? "changed" : "different");
  return calls == 0 || (differences != 0 && !record);
}
