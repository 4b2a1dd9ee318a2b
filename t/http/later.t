use v5.36;
use utf8;
use warnings FATAL => 'all';

# What follows an answer: nobody waits for it, nothing that the client or the operator does takes it away, and it is
# refused, not kept, when there is no room for it.

use Caportal::Sample qw(new_phone);
use Caportal::Test;
use Caportal::Test::Edge qw(eventually raw settled workers);
use Test::More;
use Time::HiRes qw(sleep);

my $portal = Caportal::Test->start(edit => sub ($text) {
    $text =~ s/(caportal_egress_timeout +)\S+;/${1}60s;/;
    $text =~ s/(thread_pool caportal_egress +threads)=\d+ max_queue=\d+/$1=2 max_queue=2/;
    return $text =~ s/^(worker_processes\s+).*;/${1}1;/mr;
});
my $client = $portal->client;

# The provider takes a message and does not say so before it is let go.
sub hold ($times = 1) { return $portal->sandbox(post => '/faults', json => {sms => {delay_ms => 60_000, times => $times}}) }

sub let_go () { return $portal->sandbox(delete => '/faults') }

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
    hold();
    is ask($phone)->code, 202, 'answered, though the provider does not answer';
    ok $portal->wait_for_messages($phone, $before + 1), 'it has the message';
    let_go();
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
    my ($old) = workers($portal);
    hold();
    is ask($phone)->code, 202, 'answered';
    ok $portal->wait_for_messages($phone, $before + 1), 'the provider has the message';
    $portal->stack->service('nginx')->reload;
    ok eventually(sub { grep { $_ != $old } workers($portal) }), 'another worker';
    ok eventually(sub { $client->get('/healthz')->code == 200 }), 'serves';
    ok kill(0 => $old), 'while the one that waits for the provider stays';
    let_go();
    ok eventually(sub { !grep { $_ == $old } workers($portal) }), 'until it is told';
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
    my @phones = map { new_phone() } 1 .. 4;
    my @waiting;
    my $send = sub (@phones) {
        for my $phone (@phones) {
            push @waiting, my $raw = raw($portal);
            $raw->send($raw->json(POST => '/api/sms-codes', {purpose => 'login', phone => $phone}));
        }
    };
    hold(100);
    $send->(@phones[0, 1]);
    ok $portal->wait_for_messages($_, 1), 'being sent' for @phones[0, 1];
    $send->(@phones[2, 3]);
    sleep 0.5;
    my $answer = $client->request(PUT => "/api/password-resets/$reset", json => {code => $code,
        password => '后会有期-江湖再见-88'});
    is $answer->code, 204, 'what is asked for is done' or diag $answer->body;
    ok eventually(sub { lines(qr/what follows an answer is not done: no thread for it/) }),
        'and what would have followed is not, and said not to be';
    let_go();
    $_->close for @waiting;
};

settled($portal);

done_testing;
