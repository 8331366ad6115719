// A counterparty on QuickFIX C++: a market data client, or an acceptor to be subscribed to.
//
//   fix_quickfix client PORT FIX.4.4|FIXT.1.1 SPEC STORE   subscribes to everything, one line an entry; ends at a Logout
//   fix_quickfix watch  PORT FIX.4.4|FIXT.1.1 SPEC STORE   the same, but connects again until its input closes, and
//                                                          checks every number that it gets
//   fix_quickfix server PORT FIX.4.4|FIXT.1.1 SPEC STORE   accepts one subscriber, sends it what follows, ends with it
//   fix_quickfix encode FILE                               nanoseconds to encode the 35=X in FILE, and to encode it again
//
// SPEC is the folder of QuickFIX's own dictionaries; every message that comes is held against them. Exit code 1 if
// anything was not as the protocol says.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iostream>
#include <map>
#include <mutex>
#include <set>
#include <quickfix/Application.h>
#include <quickfix/FileStore.h>
#include <quickfix/Session.h>
#include <quickfix/SessionSettings.h>
#include <quickfix/SocketAcceptor.h>
#include <quickfix/SocketInitiator.h>
#include <sstream>
#include <thread>
#include <vector>

using FIX::Message;
using FIX::SessionID;

static std::mutex printing;
static std::atomic<bool> failed{false}, logged_out{false}, heard_test{false};

static void say(const std::string &line) {
    std::lock_guard<std::mutex> guard(printing);
    std::cout << line << std::endl;
}

static void fail(const std::string &reason) {
    failed = true;
    say("FAILED " + reason);
}

static std::string field(const FIX::FieldMap &fields, int tag) {
    return fields.isSetField(tag) ? fields.getField(tag) : "";
}

// Everything that came under a number, without what a repetition may change.
class Numbers : public FIX::Log {
    static std::mutex lock;
    static std::map<unsigned long, std::string> seen;

  public:
    static std::atomic<unsigned long> repeated, filled, highest;

    void clear() {}
    void backup() {}
    void onOutgoing(const std::string &) {}
    void onEvent(const std::string &text) {
        for (const char *bad : {"too low", "ejected", "nvalid", "Incorrect", "Garbled"})
            if (text.find(bad) != std::string::npos) fail(text);
    }
    void onIncoming(const std::string &bytes) {
        std::istringstream in(bytes);
        std::string part, kept, type;
        unsigned long number = 0;
        bool again = false;
        while (std::getline(in, part, '\x01')) {
            std::string tag = part.substr(0, part.find('='));
            if (tag == "35") type = part.substr(3);
            if (tag == "34") number = std::stoul(part.substr(3));
            if (part == "43=Y") again = true;
            for (const char *changing : {"8", "9", "10", "43", "52", "122"})
                if (tag == changing) tag.clear();
            if (!tag.empty()) kept += part + '|';
        }
        std::lock_guard<std::mutex> guard(lock);
        if (type == "4") {
            filled += 1;
            return;
        }
        if (number > highest) highest = number;
        auto placed = seen.emplace(number, kept);
        if (placed.second) return;
        const std::string &before = placed.first->second;
        if (!again || before != kept) fail("number used twice: " + before + " and " + kept);
        repeated += 1;
    }
};
std::mutex Numbers::lock;
std::map<unsigned long, std::string> Numbers::seen;
std::atomic<unsigned long> Numbers::repeated{0}, Numbers::filled{0}, Numbers::highest{0};

struct NumbersFactory : FIX::LogFactory {
    FIX::Log *create() { return new Numbers; }
    FIX::Log *create(const SessionID &) { return new Numbers; }
    void destroy(FIX::Log *log) { delete log; }
};

struct Party : FIX::Application {
    void onCreate(const SessionID &) {}
    void onLogout(const SessionID &) { logged_out = true; }
    void toAdmin(Message &, const SessionID &) {}
    void toApp(Message &, const SessionID &) throw(FIX::DoNotSend) {}
    void fromAdmin(const Message &message, const SessionID &)
        throw(FIX::FieldNotFound, FIX::IncorrectDataFormat, FIX::IncorrectTagValue, FIX::RejectLogon) {
        std::string type = message.getHeader().getField(35);
        if (type == "3") fail("refused: " + message.toString());
        if (type == "0" && field(message, 112) == "quickfix") heard_test = true;
    }
};

struct Client : Party {
    void onLogon(const SessionID &id) {
        say("LOGON");
        Message request;
        request.getHeader().setField(35, "V");
        request.setField(262, "R" + std::to_string(std::chrono::steady_clock::now().time_since_epoch().count()));
        request.setField(263, "1");
        request.setField(264, "1");
        request.setField(265, "1");
        for (const char *type : {"0", "1", "9", "B", "4", "7", "8", "5"}) {
            FIX::Group types(267, 269);
            types.setField(269, type);
            request.addGroup(types);
        }
        FIX::Group symbols(146, 55);
        symbols.setField(55, "*");
        request.addGroup(symbols);
        FIX::Session::sendToTarget(request, id);
    }
    void fromApp(const Message &message, const SessionID &)
        throw(FIX::FieldNotFound, FIX::IncorrectDataFormat, FIX::IncorrectTagValue, FIX::UnsupportedMessageType) {
        std::string type = message.getHeader().getField(35);
        if (type == "h") return;
        if (type == "f") return say("f," + field(message, 55) + "," + field(message, 326) + "," + field(message, 58));
        if (type != "W" && type != "X") return fail("unexpected: " + message.toString());
        std::string symbol = field(message, 55);
        for (size_t number = 1; number <= message.groupCount(268); ++number) {
            const FIX::FieldMap &entry = message.getGroupRef(number, 268);
            std::string line = type + "," + (type == "W" ? symbol : field(entry, 55));
            for (int tag : {282, 273, 269, 279, 270, 271, 346, 58}) line += "," + field(entry, tag);
            say(line);
        }
    }
};

static void put(Message &message, std::initializer_list<std::pair<int, const char *>> fields, int opener) {
    FIX::Group entry(268, opener);
    for (auto &one : fields) entry.setField(one.first, one.second);
    message.addGroup(entry);
}

// Sends a book and some trades, one of which it takes back, a question, and the end of the feed.
struct Server : Party {
    void onLogon(const SessionID &) {}
    void fromApp(const Message &request, const SessionID &id)
        throw(FIX::FieldNotFound, FIX::IncorrectDataFormat, FIX::IncorrectTagValue, FIX::UnsupportedMessageType) {
        if (request.getHeader().getField(35) != "V") return fail("unexpected: " + request.toString());
        Message full, steps, test, end;
        full.getHeader().setField(35, "W");
        full.setField(262, request.getField(262));
        full.setField(55, "AAPL");
        if (id.getBeginString().getString() == "FIXT.1.1") full.setField(779, "20200130-14:30:00.000");
        put(full, {{269, "0"}, {270, "149.99"}, {271, "300"}, {273, "09:30:00.000"}}, 269);
        put(full, {{269, "1"}, {270, "150.01"}, {271, "200"}, {273, "09:30:00.000"}}, 269);
        FIX::Session::sendToTarget(full, id);
        steps.getHeader().setField(35, "X");
        steps.setField(262, request.getField(262));
        using Fields = std::initializer_list<std::pair<int, const char *>>;
        for (Fields entry : {
                 Fields{{279, "0"}, {269, "2"}, {278, "T1"}, {55, "AAPL"}, {270, "150"}, {271, "100"}, {273, "09:30:00.250"}},
                 Fields{{279, "0"}, {269, "2"}, {278, "T2"}, {55, "AAPL"}, {270, "151.5"}, {271, "50"}, {273, "09:30:00.900"}},
                 Fields{{279, "0"}, {269, "2"}, {278, "T3"}, {55, "MSFT"}, {270, "20.0001"}, {271, "7"}, {273, "09:30:01.000"}},
                 Fields{{279, "2"}, {269, "2"}, {278, "T2"}, {55, "AAPL"}, {273, "09:30:02.000"}},
             })
            put(steps, entry, 279);
        FIX::Session::sendToTarget(steps, id);
        test.getHeader().setField(35, "1");
        test.setField(112, "quickfix");
        FIX::Session::sendToTarget(test, id);
        end.getHeader().setField(35, "h");
        end.setField(336, "1");
        end.setField(340, "3");
        end.setField(345, "20200130-16:00:00.000");
        FIX::Session::sendToTarget(end, id);
    }
};

static FIX::SessionSettings settings(bool accepts, const std::string &port, const std::string &version,
                                     const std::string &spec, const std::string &store) {
    std::ostringstream text;
    text << "[DEFAULT]\nStartTime=00:00:00\nEndTime=00:00:00\nHeartBtInt=5\nReconnectInterval=1\nFileStorePath=" << store
         << "\nUseDataDictionary=Y\n[SESSION]\nBeginString=" << version << "\n";
    if (version == "FIXT.1.1")
        text << "DefaultApplVerID=FIX.5.0SP2\nTransportDataDictionary=" << spec << "/FIXT11.xml\nAppDataDictionary=" << spec
             << "/FIX50SP2.xml\n";
    else
        text << "DataDictionary=" << spec << "/FIX44.xml\n";
    if (accepts)
        text << "ConnectionType=acceptor\nSocketAcceptPort=" << port << "\nSocketReuseAddress=Y\nSenderCompID=QUICKFIX\nTargetCompID=FEED\n";
    else
        text << "ConnectionType=initiator\nSocketConnectHost=127.0.0.1\nSocketConnectPort=" << port
             << "\nSenderCompID=QUICKFIX\nTargetCompID=WIDETAPE\n";
    std::istringstream in(text.str());
    return FIX::SessionSettings(in);
}

static void wait_for(const std::atomic<bool> &flag) {
    for (int turn = 0; turn < 12000 && !flag; ++turn) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    if (!flag) fail("nothing came for two minutes");
}

// The fields of a message, header sorted: which of its fields comes first is each engine's own choice.
static std::string comparable(const std::string &bytes) {
    size_t body = bytes.find("\x01" "262=");
    std::istringstream in(bytes.substr(0, body));
    std::multiset<std::string> header;
    for (std::string part; std::getline(in, part, '\x01');) header.insert(part);
    std::string text;
    for (auto &part : header) text += part + '|';
    return text + bytes.substr(body);
}

// CPU time of this thread, as the benches of widetape count it.
static double thread_nanoseconds() {
    timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return time.tv_sec * 1e9 + time.tv_nsec;
}

template <class Encode> static double nanoseconds(Encode once) {
    double best = 1e18;
    for (int round = 0; round < 30; ++round) {
        double start = thread_nanoseconds();
        for (int turn = 0; turn < 2000; ++turn) once();
        best = std::min(best, (thread_nanoseconds() - start) / 2000);
    }
    return best;
}

// Two figures: the message from its values, which are texts already, and the same message again under another number.
static int encode(const char *file) {
    std::ifstream in(file, std::ios::binary);
    std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    std::vector<std::vector<std::pair<int, std::string>>> entries;
    std::map<int, std::string> head;
    std::istringstream parts(bytes);
    for (std::string part; std::getline(parts, part, '\x01');) {
        int tag = std::stoi(part.substr(0, part.find('=')));
        std::string value = part.substr(part.find('=') + 1);
        if (tag == 279) entries.emplace_back();
        if (entries.empty()) head[tag] = value;
        else if (tag != 10) entries.back().emplace_back(tag, value);
    }
    int number = std::stoi(head[34]);
    std::string out;
    Message kept;
    auto build = [&](Message &message) {
        FIX::Header &header = message.getHeader();
        header.setField(FIX::BeginString(head[8]));
        header.setField(FIX::MsgType("X"));
        header.setField(FIX::SenderCompID(head[49]));
        header.setField(FIX::TargetCompID(head[56]));
        header.setField(FIX::MsgSeqNum(number));
        header.setField(FIX::StringField(52, head[52]));
        message.setField(FIX::StringField(262, head[262]));
        static const int order[] = {279, 269, 55, 270, 273, 282, 0};
        for (auto &fields : entries) {
            FIX::Group entry(268, 279, order);
            for (auto &one : fields) entry.setField(FIX::StringField(one.first, one.second));
            message.addGroup(entry);
        }
    };
    auto whole = [&] {
        Message message;
        build(message);
        message.toString(out);
    };
    build(kept);
    auto again = [&] {
        kept.getHeader().setField(FIX::MsgSeqNum(number));
        kept.getHeader().setField(FIX::StringField(52, head[52]));
        kept.toString(out);
    };
    for (int way = 0; way < 2; ++way) {
        way ? again() : whole();
        if (comparable(out) == comparable(bytes)) continue;
        std::cout << "FAILED another message: " << out << std::endl;
        return 1;
    }
    double first = nanoseconds(whole), second = nanoseconds(again);
    std::printf("%.0f %.0f\n", first, second);
    return 0;
}

int main(int count, char **arguments) {
    std::string mode = count > 1 ? arguments[1] : "";
    if (mode == "encode" && count == 3) return encode(arguments[2]);
    if (count != 6) return 2;
    FIX::SessionSettings chosen = settings(mode == "server", arguments[2], arguments[3], arguments[4], arguments[5]);
    FIX::FileStoreFactory stores(chosen);
    NumbersFactory logs;
    if (mode == "server") {
        Server server;
        FIX::SocketAcceptor acceptor(server, stores, chosen, logs);
        acceptor.start();
        say("LISTENING");
        wait_for(logged_out);
        acceptor.stop();
        if (!heard_test) fail("no answer to the TestRequest");
        return failed;
    }
    Client client;
    FIX::SocketInitiator initiator(client, stores, chosen, logs);
    initiator.start();
    if (mode == "watch") {
        std::string line;
        while (std::getline(std::cin, line)) {}
    } else {
        wait_for(logged_out);
    }
    initiator.stop(mode == "watch");
    std::ostringstream summary;
    summary << "SUMMARY numbers " << Numbers::highest << ", repeated " << Numbers::repeated << ", gap fills " << Numbers::filled;
    say(summary.str());
    return failed;
}
