use v5.36;
use warnings FATAL => 'all';

# Which server the workers take for the master when Sentinels agree, disagree, say nothing or are gone; and that a
# session, or a role, which ends while the master is replaced is refused on every node within a second.

use Caportal::Files qw(write_file);
use Caportal::Test;
use Caportal::Test::Edge qw(eventually is_refused raw settled workers);
use Caportal::Test::Node;
use Caportal::Test::Sentinels;
use Mojo::JSON qw(decode_json);
use Test::More;
use Time::HiRes qw(sleep time);

use constant { SECOND => 1, SOON => 2, BACK => 6, PASSWORD => 'of the sentinels' };

my $sentinels = Caportal::Test::Sentinels->start(port => Caportal::Test->shared->port, password => PASSWORD);
my $portal = Caportal::Test->start(watched => 1, edit => sub ($text) {
    $text =~ s{^(\s*caportal_redis\s+sentinel://caportal\@)\S+(\s+sentinel_password_file=)(\S+)}
        {$1${\ $sentinels->address}$2$3-three}m or die;
    write_file("$3-three", PASSWORD . "\n", 0600);
    $text =~ s/^(\s*caportal_redis_timeout\s+)\S+;/${1}400ms;/m;
    $text =~ s/^worker_processes.*/worker_processes 1;/m;
    my $guarded = 'location = /guarded { caportal_session required; try_files /none =204; }';
    return $text =~ s{^(\s*)(?=location = /status)}{$1$guarded\n$1}mr;
});
my ($old, $new) = map { $portal->stack->service($_) } qw(redis redis-2);
my @ports = map { $_->port } $old, $new;
$portal->process('sentinel')->stop;

$sentinels->say(($ports[0]) x 3);
my $node = Caportal::Test::Node->start($portal);
ok eventually(sub { raw($portal)->ask("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")->{status} == 200 }, BACK), 'agreed';

my $client  = $portal->sign_in;
my @nodes   = (sub { raw($portal, $client) }, sub { $node->raw($client) });

sub ask ($connection, $path = '/guarded') { return $connection->ask($connection->head(GET => $path), 10) }
sub all_say () { return join ' ', map { ask($_->())->{status} } @nodes }

# The clients of a server that a worker has taken for the master: two a worker, and threads.
sub tracked_at ($service) {
    return $service->value(EVAL => "return redis.call('PUBSUB', 'NUMSUB', '__redis__:invalidate')[2]", 0);
}

sub is_used ($service, $title) {
    ok eventually(sub { tracked_at($service) == 2 }, BACK), "$title: both nodes are there";
    ok eventually(sub { all_say() eq '204 204' }, SOON), "$title: and serve";
    return;
}

is_used($old, 'all name one');

subtest 'who disagrees alone is not followed' => sub {
    for my $third ($ports[1], 'nil', 'error', 'silent', 'gone') {
        $sentinels->say($ports[0], $ports[0], $third);
        my $begin = time;
        my @bad;
        while (time < $begin + 0.5) {
            push @bad, $_ for grep { $_ ne '204 204' } all_say();
        }
        is_deeply \@bad, [], "one says $third";
    }
    is tracked_at($new), 0, 'nobody went there';
};

subtest 'without them the master goes on' => sub {
    for my $word (qw(gone silent error nil)) {
        $sentinels->say(($word) x 3);
        sleep 0.45;
        is all_say(), '204 204', $word;
    }
    $old->command(CLIENT => KILL => TYPE => $_) for qw(normal pubsub);
    is_used($old, 'and is found again without them');
    $sentinels->say(($ports[0]) x 3);
};

subtest 'a replica that they name is not used' => sub {
    $sentinels->say(($ports[1]) x 3);
    ok eventually(sub { all_say() eq '503 503' }, SOON), 'refused';
    is_refused(ask($nodes[0]->()), 'and when to come again');
    like $portal->logs, qr/redis is not a master/, 'the log says why';
    $sentinels->say(($ports[0]) x 3);
    is_used($old, 'named again');
};

# Both take themselves for the master for a while, as after a failover by hand: the old one is left as soon as most of
# the Sentinels know the new one, or, with one of them lost, as soon as one does.
for my $row (['most know', sub { $sentinels->say($ports[1], $ports[1], $ports[0]) }],
    ['one of two knows', sub { $sentinels->say('gone', $ports[0], $ports[1]) }])
{
    my ($title, $tell) = @$row;
    subtest "replaced while it lives: $title" => sub {
        $sentinels->say(($ports[0]) x 3);
        $old->command(REPLICAOF => NO => 'ONE');
        $new->command(REPLICAOF => '127.0.0.1', $ports[0]);
        is_used($old, 'before');
        ok eventually(sub { $old->command(WAIT => 1, 100) =~ /:[12]/ }, BACK), 'the replica has everything';
        my $sessions = 'caportal:sessions:' . substr $client->cookie, -20;
        my $copy = $old->value(EVAL => "local all = redis.call('HGETALL', KEYS[1]) for i = 1, #all do all[i] = "
                . "string.gsub(all[i], '.', function(c) return string.format('%02x', string.byte(c)) end) end "
                . "return table.concat(all, ' ')", 1, $sessions);

        $new->command(REPLICAOF => NO => 'ONE');
        my @connections = map { $_->() } @nodes;
        ask($_) for @connections;
        $new->command(DEL => $sessions);
        my $begin = time;
        $tell->();
        ok eventually(sub { join(' ', map { ask($_)->{status} } @connections) eq '401 401' }, BACK), 'signed out';
        cmp_ok time - $begin, '<', SECOND, sprintf 'on both nodes, %.0f ms after', 1000 * (time - $begin);
        is tracked_at($old), 0, 'nobody listens to the old one';

        my @pairs = map { pack 'H*', $_ } split / /, $copy, -1;
        is $new->command(HSET => $sessions, @pairs), ':' . @pairs / 2, 'for the next';
        $old->command(HSET => $sessions, @pairs);
    };
}

# The old master hangs; a replica is made the master; there the session is ended; the old one wakes up.
subtest 'ended while the master is replaced' => sub {
    $old->command(REPLICAOF => NO => 'ONE');
    $new->command(REPLICAOF => '127.0.0.1', $ports[0]);
    $sentinels->say(($ports[0]) x 3);
    is_used($old, 'before');
    ok eventually(sub { $old->command(WAIT => 1, 100) =~ /:[12]/ }, BACK), 'the replica has everything';

    my $staff    = $portal->staff('finance');
    my ($member) = grep { $_->{name} eq 'finance' } @{ decode_json($portal->ctl(qw(staff list))) };
    is $staff->get('/staff/api/payments')->code, 200, 'finance sees payments';
    my @connections = map { $_->() } @nodes;
    ask($_) for @connections;

    $portal->process('redis')->signal('STOP');
    $new->command(REPLICAOF => NO => 'ONE');
    $new->command(DEL => 'caportal:sessions:' . substr $client->cookie, -20);
    my $ended = time;
    $portal->ctl(qw(staff roles), $member->{id}, '--roles', 'shipper');
    is $staff->get('/staff/api/payments')->code, 403, 'the role is gone with the next request';

    my ($last, $refused) = (0, 0);
    while (time < $ended + 1.5) {
        my $asked = time;
        for my $connection (@connections) {
            my $status = ask($connection)->{status};
            $last = $asked if $status == 204;
            $refused++ if $status == 503;
        }
        sleep 0.01;
    }
    cmp_ok $last - $ended, '<', SECOND, sprintf 'nobody is let in, %.0f ms after', 1000 * ($last ? $last - $ended : 0);
    cmp_ok $refused, '>', 2, 'but told to come again';

    $sentinels->say(($ports[1]) x 3);
    ok eventually(sub { join(' ', map { ask($_)->{status} } @connections) eq '401 401' }, BACK), 'then signed out';
    $portal->process('redis')->signal('CONT');
    my $begin = time;
    my %said;
    while (time < $begin + 0.5) { $said{ ask($_->())->{status} }++ for @nodes }
    is_deeply [keys %said], [401], 'also when the old master wakes up';
    $portal->ctl(qw(staff roles), $member->{id}, '--roles', 'finance');
};

my %said;
$said{$_}++ for $portal->logs =~ /caportal: the redis master "caportal" is \S+/g;
cmp_ok scalar(() = $portal->logs =~ /the redis master/g), '<', 40, 'the log tells of each change once a worker';

settled($portal);
done_testing;
