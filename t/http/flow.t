use v5.36;
use utf8;
use warnings FATAL => 'all';

# The whole way of an order over HTTP, from SMS sign-in to a certificate sign-in, in each of its forms.

use Caportal::Journey;
use Caportal::Test;
use Mojo::JSON qw(decode_json);
use Test::More;

my $portal = Caportal::Test->start;

my @forms = (
    ['an enterprise, mailed', {}],
    ['an institution, fetched', {kind => 'institution', project => 'public-resources', delivery => 'pickup'}],
    ['free, the key made by the station', {project => 'medical-insurance', key => 'station'}],
    ['an RSA key', {algorithm => ['rsa:2048']}],
);

for my $form (@forms) {
    my ($title, $given) = @$form;
    subtest $title => sub { travel($portal->journey(%$given)) };
}

sub travel ($journey) {
    for my $step (Caportal::Journey->steps) {
        my ($name, $what) = @$step;
        next if !$journey->has($step);
        my $said = eval { $journey->step($name) };
        ok defined $said, "$what: " . ($said // $@) or return;
    }

    my $order = $journey->show;
    is $order->{state}, 'completed', 'the order is completed';
    is @{ $order->{certificates} }, 1, 'with one certificate';
    is $order->{certificates}[0]{state}, 'valid', 'which is valid';

    my $history = $journey->applicant->get('/api/orders/' . $journey->no . '/history')->json;
    ok $history, 'the history is shown';

    my $events = $portal->rows(
        'SELECT from_state, to_state FROM order_event e JOIN certificate_order o ON o.id = e.order_id'
            . ' WHERE o.no = ? ORDER BY e.id', $journey->no);
    my @broken = grep { $events->[$_]{from_state} ne $events->[$_ - 1]{to_state} } 1 .. $#$events;
    is_deeply \@broken, [], 'each event begins in the state in which the one before ended';
    return;
}

my $report = decode_json($portal->ctl('reconcile'));
is $report->{issued}, scalar @forms, 'every paid order is issued';
is $report->{difference}, 0, 'and nothing is missing';

my $second = eval { $portal->order_until('draft') };
my ($client, $journey) = $portal->sign_in;
isnt $client->get('/api/orders/' . ($second ? $second->no : 'x'))->code, 200, "nobody sees another's order";

done_testing;
