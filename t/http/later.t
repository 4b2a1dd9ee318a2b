use v5.36;
use utf8;
use warnings FATAL => 'all';

# What follows an answer: nobody waits for it, nothing that the client or the operator does takes it away, and it is
# refused, not kept, when there is no room for it.

use Caportal::Sample qw(new_phone);
use Caportal::Test;
use Caportal::Test::Edge qw(eventually raw reloaded settled workers);
use Test::More;
use Time::HiRes qw(sleep time);

use constant SLOW => 1.5;

my $portal = Caportal::Test->start(edit => sub ($text) {
    $text =~ s/(thread_pool caportal_egress +threads)=\d+ max_queue=\d+/$1=2 max_queue=2/;
    return $text =~ s/^(worker_processes\s+).*;/${1}1;/mr;
});
my $client = $portal->client;

sub slow ($times = 1, $seconds = SLOW) {
    $portal->sandbox(post => '/faults', json => {sms => {delay_ms => int 1000 * $seconds, times => $times}});
    return;
}

# A number that has an account, with its messages so far.
sub somebody () {
    my (undef, $journey) = $portal->sign_in;
    $portal->forget_limits;
    return ($journey->{phone}, scalar $portal->inbox($journey->{phone}));
}

sub ask ($phone) { return $client->post('/api/sms-codes', {purpose => 'reset_password', phone => $phone}) }

sub lines ($pattern) { return scalar(() = $portal->logs =~ /$pattern/g) }

subtest 'the answer does not wait' => sub {
    my ($phone, $before) = somebody();
    slow(1, 2 * SLOW);
    my $start = time;
    is ask($phone)->code, 202, 'answered';
    cmp_ok time - $start, '<', 2 * SLOW, 'before the provider does, who takes its time';
    ok $portal->wait_for_messages($phone, $before + 1), 'it arrives';
};

subtest 'a client that does not wait either' => sub {
    my ($phone, $before) = somebody();
    my $raw = raw($portal);
    $raw->send($raw->json(POST => '/api/sms-codes', {purpose => 'reset_password', phone => $phone}));
    $raw->close;
    ok $portal->wait_for_messages($phone, $before + 1), 'gets its message';
};

subtest 'a reload' => sub {
    my ($phone, $before) = somebody();
    slow();
    my ($old) = workers($portal);
    is ask($phone)->code, 202, 'answered';
    ok reloaded($portal), 'the worker leaves';
    ok $portal->wait_for_messages($phone, $before + 1), 'and has sent the message';
};

subtest 'a provider that fails' => sub {
    my ($phone, $before) = somebody();
    my $line   = qr/a code for a new password was not sent: provider_unavailable/;
    my $failed = lines($line);
    $portal->sandbox(post => '/faults', json => {sms => {status => 503, times => 1}});
    is ask($phone)->code, 202, 'is not told of: the same as for who has no account';
    ok eventually(sub { lines($line) > $failed }), 'but logged';
    is scalar($portal->inbox($phone)), $before, 'no message';
    $portal->forget_limits;
    is ask($phone)->code, 202, 'the next one';
    ok $portal->wait_for_messages($phone, $before + 1), 'arrives';
};

subtest 'no room' => sub {
    my ($phone, $before) = somebody();
    my $reset = ask($phone)->json->{reset};
    ok $portal->wait_for_messages($phone, $before + 1), 'a code';
    my ($code) = map { $_->{params}{code} // () } $portal->inbox($phone);
    $portal->forget_limits;

    # Two that are being sent and two that wait for it are all that there is room for.
    slow(100, 2 * SLOW);
    my @waiting = map { my $raw = raw($portal);
        $raw->send($raw->json(POST => '/api/sms-codes', {purpose => 'login', phone => new_phone()}));
        sleep 0.05;
        $raw } 1 .. 4;
    my $answer = $client->request(PUT => "/api/password-resets/$reset", json => {code => $code,
        password => '后会有期-江湖再见-88'});
    is $answer->code, 204, 'what is asked for is done' or diag $answer->body;
    ok eventually(sub { lines(qr/what follows an answer is not done: no thread for it/) }, 1),
        'and what would have followed is not, and said not to be';
    $portal->sandbox(delete => '/faults');
    $_->close for @waiting;
};

settled($portal);

done_testing;
