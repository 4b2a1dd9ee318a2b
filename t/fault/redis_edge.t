use v5.36;
use warnings FATAL => 'all';

# What the event loop asks Redis for while it is restarted, hangs, lets nobody in, is full, loads, or is no master: 503
# and when to come again, at once but for the first, one line in the log; and when it is back, so is everybody.

use Caportal::Files qw(read_file write_file);
use Caportal::Test;
use Caportal::Test::Edge qw(eventually is_refused raw settled workers);
use Test::More;
use Time::HiRes qw(sleep time);

use constant { TIMEOUT => 1, SOON => 0.5, BACK => 5 };

# A session takes Redis each time, so that each request shows how it is.
my $portal = Caportal::Test->start(edit => sub ($text) {
    $text =~ s/^(\s*caportal_redis_timeout\s+)\S+;/$1${\ (1000 * TIMEOUT)}ms;/m;
    $text =~ s/^worker_processes.*/worker_processes 1;/m;
    $text =~ s/^(\s*caportal_session_cache\s+)\S+;/$1off;/m;
    return $text =~ s{^(\s*)(?=location = /status)}{$1 . <<'END' . $1}mre;
location = /guarded { caportal_session required; add_header X-Account $caportal_account; try_files /none =204; }
        location = /known { caportal_session optional; add_header X-Account $caportal_account; try_files /none =204; }
        location = /check { internal; caportal_session required; try_files /none =204; }
        location = /asked { auth_request /check; try_files /none =204; }
        location = /told {
            auth_request /check;
            error_page 500 = @busy;
            try_files /none =204;
        }
        location @busy { add_header Retry-After 2 always; return 503; }
END
});
my $redis = $portal->stack->service('redis');
my $conf  = $portal->home . '/conf/redis.conf';
my $user  = $portal->stack->{database} . '_web';
my @clients = map { scalar $portal->sign_in } 1, 2;
my @accounts = map { $_->get('/api/session')->json->{account}{id} } @clients;

sub get ($path = '/guarded', $client = $clients[0]) {
    my $connection = raw($portal, $client);
    return $connection->ask($connection->head(GET => $path), 10);
}

# The lines of the log that the loop wrote of Redis since the last call.
my $read = 0;
sub said () {
    my @lines = grep {/\d+#(\d+): caportal: redis / && /(\d+)#\1:/} split /^/, $portal->logs;
    my @new = @lines[$read .. $#lines];
    $read = @lines;
    return @new;
}

# Refused until $heal is done; the log says $why, once, and that it is back, once.
sub is_away ($title, $why, $harm, $heal, %option) {
    return subtest $title => sub {
        said();
        $harm->();
        ok eventually(sub { get()->{status} == 503 }, BACK), 'away';
        my @answers = map { get() } 1 .. 5;
        is_refused($_, 'refused') for @answers[0, 4];
        cmp_ok $_->{seconds}, '<', SOON, 'at once' for @answers;
        is get('/guarded', undef)->{status}, 401, 'who has no session is told so';
        is get('/known')->{status}, 204, 'where none is needed, one passes';
        is get('/asked')->{status}, 500, 'auth_request knows no other refusal';
        is_refused(get('/told'), 'but can be told to say so');
        my $connection = raw($portal, $clients[0]);
        is_refused($connection->ask($connection->json(POST => '/api/orders', {})), 'an operation');
        $option{meanwhile}->() if $option{meanwhile};

        my $begin = time;
        $heal->();
        ok eventually(sub { get()->{status} == 204 }, BACK), sprintf 'back after %.0f ms', 1000 * (time - $begin);
        is get('/guarded', $clients[$_])->{headers}{'x-account'}, $accounts[$_], 'everybody is who they are' for 0, 1;

        my @lines = said();
        is scalar(grep {/$why/} @lines), 1, "the log says why, once";
        is scalar(grep {/is back after \d+ ms/} @lines), 1, 'and that it is back, once';
        cmp_ok scalar @lines, '<=', $option{lines} // 2, 'and no more' or diag @lines;
    };
}

sub restart () {
    $portal->process('redis')->stop if $portal->process('redis')->pid;
    $portal->restart('redis');
    return;
}

is get()->{headers}{'x-account'}, $accounts[0], 'at first';

is_away('killed', qr/cannot be connected to/, sub { $portal->kill('redis') }, sub { $portal->restart('redis') });

is_away('hanging', qr/does not answer/,
    sub {
        $portal->process('redis')->signal('STOP');
        my @waiting = map { raw($portal, $clients[0]) } 1 .. 40;
        $_->send($_->head(GET => '/guarded')) for @waiting;
        my @answers = map { $_->answer(5) } @waiting;
        is scalar(grep { $_->{status} == 503 } @answers), 40, 'all who came first are refused';
        cmp_ok $answers[-1]{seconds}, '<', TIMEOUT + SOON, 'in time';
    },
    sub { $portal->process('redis')->signal('CONT') },
    meanwhile => sub {
        my $begin = time;
        my (@slow, $refused);
        while (time < $begin + 3 * TIMEOUT) {
            my $answer = get();
            $refused++ if $answer->{status} == 503;
            push @slow, $answer->{seconds} if $answer->{seconds} > 0.8 * TIMEOUT;
        }
        cmp_ok $refused, '>', 5, 'one is refused after the other';
        is_deeply \@slow, [], 'while it is tried again, nobody has to wait for that';
    });

subtest 'an answer that comes too late is nobody\'s' => sub {
    my @late = map { raw($portal, $clients[0]) } 1 .. 3;
    $portal->process('redis')->signal('STOP');
    $_->send($_->head(GET => '/guarded')) for @late;
    is_refused($_->answer(5), 'too late') for @late;
    $portal->process('redis')->signal('CONT');
    ok eventually(sub { get('/guarded', $clients[1])->{status} == 204 }, BACK), 'back';
    is get('/guarded', $clients[$_ % 2])->{headers}{'x-account'}, $accounts[$_ % 2], 'who asks is answered' for 1 .. 6;
};

my ($password) = split ' ', read_file($portal->home . '/conf/secrets/redis-web');
is_away('another password', qr/WRONGPASS/,
    sub {
        $portal->redis(ACL => SETUSER => $user, 'resetpass', '>another');
        $portal->redis(CLIENT => KILL => USER => $user);
    },
    sub { $portal->redis(ACL => SETUSER => $user, 'resetpass', ">$password") });

is_away('no right to read', qr/NOPERM/,
    sub { $portal->redis(ACL => SETUSER => $user, '-hget') }, sub { $portal->redis(ACL => SETUSER => $user, '+hget') });

is_away('a replica', qr/is not a master/,
    sub {
        $portal->redis(REPLICAOF => '127.0.0.1', 1);
        $portal->redis(CLIENT => KILL => TYPE => 'normal');
    },
    sub { $portal->redis(REPLICAOF => NO => 'ONE') });

is_away('a replica without a master', qr/MASTERDOWN|is not a master/,
    sub {
        $portal->redis(CONFIG => SET => 'replica-serve-stale-data', 'no');
        $portal->redis(REPLICAOF => '127.0.0.1', 1);
    },
    sub {
        $portal->redis(REPLICAOF => NO => 'ONE');
        $portal->redis(CONFIG => SET => 'replica-serve-stale-data', 'yes');
    }, lines => 3);

my $script;
is_away('busy', qr/BUSY/,
    sub {
        $portal->redis(CONFIG => SET => 'busy-reply-threshold', 50);
        $script = fork // die;
        if (!$script) {
            eval { $portal->redis(EVAL => 'while true do end', 0) };
            require POSIX;
            POSIX::_exit(0);
        }
    },
    sub { $portal->redis(SCRIPT => 'KILL') }, lines => 3);
waitpid $script, 0;

my $rules = read_file($conf);
is_away('loading', qr/LOADING/,
    sub {
        $portal->redis(EVAL => "for i = 1, 2000 do redis.call('SET', 'caportal:filler:' .. i, string.rep(i, 60)) end", 0);
        $portal->redis('BGREWRITEAOF');
        ok eventually(sub { $portal->redis_value(INFO => 'persistence') =~ /aof_rewrite_in_progress:0/ }), 'saved';
        $portal->process('redis')->stop;
        write_file($conf, "${rules}key-load-delay 3000\nloading-process-events-interval-bytes 1024\n", 0600);
        $redis->start;
        ok eventually(sub { $portal->logs =~ /LOADING/ }), 'loading';
    },
    sub {
        write_file($conf, $rules, 0600);
        $portal->redis(CONFIG => SET => 'key-load-delay', 0);
    }, lines => 4);

subtest 'full' => sub {
    said();
    $portal->redis(CONFIG => SET => maxmemory => 1);
    is get()->{status}, 204, 'who is signed in stays so' for 1 .. 3;
    $portal->redis(CONFIG => SET => maxmemory => 0);
    is_deeply [said()], [], 'and nothing is wrong';
};

subtest 'restarted, with nobody asking meanwhile' => sub {
    restart();
    is_deeply [map { get()->{status} } 1 .. 3], [204, 204, 204], 'nobody notices';
};

settled($portal);
done_testing;
