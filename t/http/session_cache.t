use v5.36;
use warnings FATAL => 'all';

# What a worker knows of sessions without asking Redis: it is right within a second on every worker of every node,
# whatever happens to Redis or to the connections, it stays within its bound, and who uses nothing else stays signed in.

use Caportal::Files qw(read_file);
use Caportal::Test;
use Caportal::Test::Edge qw(eventually raw reloaded settled workers);
use Caportal::Test::Node;
use Caportal::Test::Proxy;
use Digest::SHA qw(sha256);
use File::Temp ();
use Mojo::JSON qw(decode_json);
use Test::More;
use Time::HiRes qw(sleep time);

use constant { KNOWN => 4, IDLE => 60_000, SECOND => 1 };

my $folder = File::Temp::tempdir('ct.XXXXXX', DIR => '/tmp', CLEANUP => 1);
my $proxy;

my $portal = Caportal::Test->start(edit => sub ($text) {
    my ($socket) = $text =~ /^\s*caportal_redis\s+unix:(\S+)/m or die;
    $proxy = Caportal::Test::Proxy->start(path => "$folder/redis.sock", to => $socket);
    $text =~ s/\Q$socket\E/$folder\/redis.sock/g;
    $text =~ s/^worker_processes.*/worker_processes 2;/m;
    $text =~ s/^(\s*)caportal_session_timeout.*/$1caportal_session_timeout idle=1m absolute=2m;/m;
    $text =~ s/^(\s*caportal_session_cache\s+)\S+;/$1${\ KNOWN};/m;
    my $guarded = 'location = /guarded { caportal_session required; try_files /none =204; }';
    return $text =~ s{^(\s*)(?=location = /status)}{$1$guarded\n$1}mr;
});

sub ask ($connection, $path = '/guarded') { return $connection->ask($connection->head(GET => $path), 10) }
sub sessions ($connection = raw($portal)) { return decode_json(ask($connection, '/status')->{body})->{sessions} }

# A connection to each worker, as a session of which only its cookie is known.
sub to_each ($cookie, $open = sub { raw($portal) }) {
    my (%to, @more);
    while (keys %to < 2) {
        my $connection = $open->();
        $connection->{cookie} = $cookie;
        my $pid = decode_json(ask($connection, '/status')->{body})->{worker};
        $to{$pid} //= $connection;
        push @more, $connection;
        die "only one worker answers\n" if @more > 200;
    }
    return values %to;
}

# Sessions are made as the library writes them, so that their times can be chosen: {cookie, key, field}.
my $number = 0;
sub new_session (%at) {
    my $now     = int(1000 * time);
    my $account = delete $at{account} // sprintf 'account%013d', $number + 1;
    $number++;
    my $self    = {secret => sprintf('%043d', $number), account => $account, key => "caportal:sessions:$account"};
    @$self{qw(cookie field)} = ($self->{secret} . $account, sha256($self->{secret}));
    write_session($self, since => $now, seen => $now, %at);
    return $self;
}

sub write_session ($session, %at) {
    $session->{$_} = $at{$_} for keys %at;
    $portal->redis(HSET => $session->{key}, $session->{field},
        "2 $session->{since} $session->{seen} 7 - ${\($session->{method} // 'sms')} 0 0 - -");
    $portal->redis(PEXPIRE => $session->{key}, 120_000);
    return;
}

# Asks until it is refused; how long that took since $begin, and what was said then.
sub until_refused ($begin, @connections) {
    my ($last, $status) = (0, 0);
    for my $connection (@connections) {
        eventually(sub {
            my $asked = time;
            $status = ask($connection)->{status};
            $last   = $asked if $status == 204;
            return $status != 204;
        }, 3);
    }
    return ($last ? $last - $begin : 0, $status);
}

sub is_tracked ($title = 'every worker is told of changes') {
    ok eventually(sub { sessions()->{tracked} == 2 }, 5), $title;
    sleep 0.05;
    return;
}

# Known: asked once, and then not any more.
sub is_known ($title, @connections) {
    my $known = sub {
        my $before = sessions();
        my @status = map { ask($_)->{status} } @connections;
        my $after = sessions();
        return "@status" eq join(' ', (204) x @connections) && $after->{hits} - $before->{hits} == @connections;
    };
    ok eventually($known, 3), "$title: known to each worker";
    return;
}

is_tracked();
my $node = Caportal::Test::Node->start($portal);

subtest 'asked once' => sub {
    my $session = new_session();
    my ($one) = to_each($session->{cookie});
    my $before = sessions($one);
    is ask($one)->{status}, 204, 'signed in' for 1 .. 5;
    my $after = sessions($one);
    is $after->{misses} - $before->{misses}, 1, 'Redis was asked once';
    is $after->{hits} - $before->{hits}, 4, 'not again';
    is $after->{entries} - $before->{entries}, 1, 'there is one more';
};

for my $row (
    ['its end',            401, sub ($s) { $portal->redis(HDEL => $s->{key}, $s->{field}) }],
    ['the end of all',     401, sub ($s) { $portal->redis(DEL => $s->{key}) }],
    ['UNLINK',             401, sub ($s) { $portal->redis(UNLINK => $s->{key}) }],
    ['another name',       401, sub ($s) { $portal->redis(RENAME => $s->{key}, 'caportal:elsewhere') }],
    ['its time',           401, sub ($s) { $portal->redis(PEXPIRE => $s->{key}, 1) }],
    ['FLUSHDB',            401, sub ($s) { $portal->redis('FLUSHDB') }],
    ['FLUSHALL',           401, sub ($s) { $portal->redis('FLUSHALL') }],
    ['nonsense',           401, sub ($s) { $portal->redis(HSET => $s->{key}, $s->{field}, 'x') }],
    ['a script',           401, sub ($s) { $portal->redis(EVAL => "redis.call('DEL', KEYS[1])", 1, $s->{key}) }],
    ['an overwritten key', 503, sub ($s) { $portal->redis(SET => $s->{key}, 1) }],
) {
    my ($title, $status, $end) = @$row;
    subtest $title => sub {
        my $session = new_session();
        my @all = (to_each($session->{cookie}), to_each($session->{cookie}, sub { $node->raw }));
        ask($_) for @all;
        is_known($title, @all[0, 1]);
        my $begin = time;
        $end->($session);
        my ($took, $said) = until_refused($begin, @all);
        cmp_ok $took, '<', SECOND, sprintf 'refused everywhere after %.0f ms', 1000 * $took;
        is $said, $status, 'as it should be';
    };
}

subtest 'changes of others leave it' => sub {
    my ($session, $other) = map { new_session() } 1, 2;
    my @all = to_each($session->{cookie});
    is_known('one', @all);
    my $before = sessions();
    write_session($other, method => 'password') for 1 .. 3;
    is ask($_)->{status}, 204, 'signed in' for @all;
    is sessions()->{misses}, $before->{misses}, 'without asking';
};

subtest 'a lost connection empties it' => sub {
    for my $kind (qw(pubsub normal)) {
        my $session = new_session();
        my @all = (to_each($session->{cookie}), to_each($session->{cookie}, sub { $node->raw }));
        is_known($kind, @all[0, 1]);
        my $changes = sessions()->{entries};
        my $begin = time;
        $portal->redis(CLIENT => KILL => TYPE => $kind);
        $portal->redis(DEL => $session->{key});
        my ($took, $said) = until_refused($begin, @all);
        cmp_ok $took, '<', SECOND, sprintf '%s: refused everywhere after %.0f ms', $kind, 1000 * $took;
        is $said, 401, "$kind: signed out";
        is_tracked("$kind: made again");
        my $again = new_session();
        is_known("$kind: another", to_each($again->{cookie}));
    }
};

subtest 'a connection that says nothing any more' => sub {
    my $session = new_session();
    my @all = (to_each($session->{cookie}), to_each($session->{cookie}, sub { $node->raw }));
    is_known('before', @all[0, 1]);
    $proxy->hold(from => 'tracking');
    my $begin = time;
    $portal->redis(DEL => $session->{key});
    is ask($all[0])->{status}, 204, 'nobody has heard of it yet';
    my ($took, $said) = until_refused($begin, @all);
    cmp_ok $took, '<', SECOND, sprintf 'refused everywhere after %.0f ms', 1000 * $took;
    is $said, 401, 'because Redis was asked';
    ok eventually(sub { sessions()->{tracked} == 0 }, 3), 'it is given up';
    $proxy->release;
    is_tracked('and made again');
};

subtest 'Redis hangs' => sub {
    my $session = new_session();
    my @all = to_each($session->{cookie});
    is_known('before', @all);
    $portal->process('redis')->signal('STOP');
    my $begin = time;
    is ask($all[0])->{status}, 204, 'who is known passes for a moment';
    my ($took, $said) = until_refused($begin, @all);
    cmp_ok $took, '<', SECOND, sprintf 'but not after %.0f ms', 1000 * $took;
    is $said, 503, 'then nobody';
    $portal->process('redis')->signal('CONT');
    is_tracked('awake again');
    is_known('after', @all);
};

subtest 'Redis does not let itself be listened to' => sub {
    my $user = $portal->stack->{database} . '_web';
    $portal->redis(ACL => SETUSER => $user, 'resetchannels');
    ok eventually(sub { sessions()->{tracked} == 0 }, 3), 'nobody is told of changes';
    my $session = new_session();
    my @all = to_each($session->{cookie});
    my $before = sessions();
    is ask($_)->{status}, 204, 'who is signed in is served' for @all, @all;
    is sessions()->{hits}, $before->{hits}, 'by asking each time';
    $portal->redis(DEL => $session->{key});
    is ask($_)->{status}, 401, 'so that an end is known at once' for @all;
    ok eventually(sub { 4 == (() = $portal->logs =~ /sessions are looked up one by one: .*NOPERM/g) }, 5),
        'the log says so, once a worker' or diag scalar(() = $portal->logs =~ /sessions are looked up one by one/g);
    $portal->redis(ACL => SETUSER => $user, '&*');
    is_tracked('again');
    ok eventually(sub { 4 == (() = $portal->logs =~ /sessions are cached again/g) }, 5), 'the log says that too';
    is_known('after', to_each(new_session()->{cookie}));
};

# Redis tells every worker, but perhaps later than the client, who may be here again at once.
subtest 'the worker that ends a session knows it at once' => sub {
    my ($client, $journey) = $portal->sign_in;
    my $other = $portal->sign_in_again($journey);
    my $one   = raw($portal, $client);

    # Known to this worker, whoever made them and wherever.
    my $as = sub ($who, $request) { $one->{cookie} = $who->cookie; return $request->()->{status} };
    my $is_there = sub ($who) { $as->($who, sub { ask($one) }) };
    is $is_there->($_), 204, 'signed in' for $client, $other, $client, $other;
    my ($id) = map { $_->{id} } grep { !$_->{current} } @{ $client->get('/api/sessions')->json->{sessions} };
    is $is_there->($_), 204, 'still' for $client, $other;

    $proxy->hold(from => 'tracking');
    is $as->($client, sub { $one->ask($one->head(DELETE => "/api/sessions/$id")) }), 204, 'one ends the other';
    is $is_there->($other), 401, 'which is over';
    is $is_there->($client), 204, 'the own one is not';
    is $as->($client, sub { $one->ask($one->head(DELETE => '/api/session')) }), 204, 'until it is ended too';
    is $is_there->($client), 401, 'over as well';
    $proxy->release;
    is_tracked('they were told later');
};

# The answer was true when it was given, but is not kept: what came after it was heard before it.
subtest 'a change overtakes an answer' => sub {
    my $session = new_session();
    my ($one) = to_each($session->{cookie});
    $proxy->hold(from => 'data');
    $one->send($one->head(GET => '/guarded'));
    ok eventually(sub { $proxy->held > 60 }, 3), 'Redis has answered';
    my $before = sessions()->{changes};
    $portal->redis(HDEL => $session->{key}, $session->{field});
    ok eventually(sub { sessions()->{changes} > $before }, 3), 'and told of the end';
    $proxy->release;
    is $one->answer(5)->{status}, 204, 'the answer arrives';
    is ask($one)->{status}, 401, 'and is not used again';
};

sub record ($session) { return $portal->redis_value(HGET => $session->{key}, $session->{field}) }
sub seen ($session)   { return (split ' ', record($session))[2] }

subtest 'using it keeps it' => sub {
    my $before = int(1000 * time) - IDLE / 10 + 700;
    my $session = new_session(since => $before, seen => $before);
    my ($one) = to_each($session->{cookie});
    is_known('not old yet', $one);
    is seen($session), $before, 'nothing is written yet';
    ok eventually(sub { ask($one)->{status} == 204 && seen($session) > $before }, 3), 'then it is, while only known';
    cmp_ok seen($session) - 1000 * time, '>', -2000, 'as seen now';
    is ask($one)->{status}, 204, 'still signed in' for 1 .. 3;
    is_known('and known again', $one);
};

# The worker's own write takes the account out of Redis's table, so it must hear of it like everybody.
subtest 'renewing one session of two' => sub {
    my $before  = int(1000 * time) - IDLE / 10 + 700;
    my $session = new_session(since => $before, seen => $before);
    my $sister  = new_session(account => $session->{account});
    my ($one) = to_each('none');
    for my $known ($sister, $session) {
        $one->{cookie} = $known->{cookie};
        is_known('both', $one);
    }
    ok eventually(sub { ask($one)->{status} == 204 && seen($session) > $before }, 3), 'one is written again';
    $portal->redis(HDEL => $sister->{key}, $sister->{field});
    $one->{cookie} = $sister->{cookie};
    my ($took, $said) = until_refused(time, $one);
    is $said, 401, 'the end of the other is heard of';
    cmp_ok $took, '<', SECOND, 'soon';
};

# Full, so that no record can be written again: the limits count by the clock, at each use.
subtest 'limits' => sub {
    for my $row (['idle', seen => IDLE], ['absolute', since => 2 * IDLE]) {
        my ($title, $member, $limit) = @$row;
        my $end     = int(1000 * time) + 1300;
        my $session = new_session(since => $end - $limit, $member => $end - $limit);
        my @all     = to_each($session->{cookie});
        $portal->redis(CONFIG => SET => maxmemory => 1);
        is_known($title, @all);
        my ($took, $said) = until_refused($end / 1000, @all);
        cmp_ok abs $took, '<', 0.3, sprintf '%s: refused %.0f ms from its end', $title, 1000 * $took;
        is $said, 401, "$title: signed out";
        $portal->redis(CONFIG => SET => maxmemory => 0);
    }
    is scalar(() = $portal->logs =~ /does not prolong sessions: OOM/g) > 0, 1, 'the log says so';
    is scalar(() = $portal->logs =~ /does not prolong sessions/g) <= 4, 1, 'once a worker and time';
};

# What was only seen must not undo what was changed meanwhile.
subtest 'renewing overtaken by a change' => sub {
    my $before  = int(1000 * time) - IDLE / 10 + 700;
    my $session = new_session(since => $before, seen => $before);
    my ($one) = to_each($session->{cookie});
    is_known('before', $one);
    sleep 0.01 while 1000 * time < $before + IDLE / 10;
    $proxy->hold(to => 'data');
    is ask($one)->{status}, 204, 'seen';
    ok eventually(sub { $proxy->held > 300 }, 3), 'the record is on its way to Redis';
    write_session($session, method => 'password');
    $proxy->release;
    is_known('after', $one);
    like record($session), qr/ 7 - password 0 /, 'what was changed meanwhile stands';
};

subtest 'bound' => sub {
    my @cookies = map { new_session()->{cookie} } 1 .. 5 * KNOWN;
    my ($one) = to_each('none');
    for my $round (1 .. 3) {
        my @status = map { $one->{cookie} = $_; ask($one)->{status} } @cookies;
        is_deeply \@status, [(204) x @cookies], 'each is let in';
        cmp_ok sessions()->{entries}, '<=', 2 * KNOWN, 'within the bound';
    }
    $one->{cookie} = $cookies[-1];
    my $before = sessions()->{hits};
    ask($one) for 1 .. 3;
    is sessions()->{hits} - $before, 3, 'the last is known';
};

subtest 'reload' => sub {
    my $session = new_session();
    is_known('before', to_each($session->{cookie}));
    ok reloaded($portal), 'reloaded';
    is_tracked();
    is sessions()->{entries}, 0, 'new workers know nobody';
    is_known('after', to_each($session->{cookie}));
    $node->stop;
    my $subscribed = "return redis.call('PUBSUB', 'NUMSUB', '__redis__:invalidate')[2]";
    ok eventually(sub { $portal->redis_value(EVAL => $subscribed, 0) == 2 }, 5), 'the old closed their connections';
};

settled($portal);
done_testing;
