use v5.36;
use utf8;
use warnings FATAL => 'all';

# Nobody acts twice on one order: entry, review, finance and production are different people, whatever roles they have.

use Caportal::Files qw(folder random_text);
use Caportal::Sample qw(new_person new_request id_number);
use Caportal::Test;
use Caportal::Test::Walk qw(state_of is_unchanged is_problem certificate_by);
use Test::More;

my $portal = Caportal::Test->start;
my $csr    = new_request(folder($portal->home . '/request'));
my $number = 0;

# A member of staff: the client and the name under which a journey's steps find it.
sub member ($roles, %more) {
    my %certificate = certificate_by($portal, 'staff-ca');
    my $id = $portal->ctl('staff', 'add', '--name', '兼职' . ++$number, '--roles', $roles, '--certificate',
        $certificate{cert}, map { ("--$_" => $more{$_}) } sort keys %more);
    return $portal->client('certificate', %certificate);
}

my @duties = (
    [review     => sub ($client, $j) { $client->post('/staff' . $j->_order('/claim')) }],
    [finance    => sub ($client, $j) {
        $client->post("/staff/api/payments/$j->{payment}/confirm", {bank_reference => 'B' . random_text(8)}) }],
    [production => sub ($client, $j) {
        $client->post('/staff' . $j->_order('/csr'), undef, body => $csr, type => 'application/pkcs10') }],
    [shipping   => sub ($client, $j) {
        $client->post('/staff' . $j->_order('/ship'), {courier => 'SF', number => 'SF1'}) }],
);
my %duty = map { $_->[0] => $_->[1] } @duties;

sub refused ($client, $journey, $duty) {
    my $before = state_of($portal);
    is_problem($duty{$duty}->($client, $journey), 403, 'same_person', "$duty is refused");
    is_unchanged($portal, $before, '... and nothing changed');
    return;
}

my $everything = 'reviewer,finance,producer,shipper';

subtest 'all roles, and review done' => sub {
    my $all     = member($everything);
    my $journey = $portal->journey(key => 'station');
    $journey->until_state('submitted');

    is $duty{review}->($all, $journey)->code, 200, 'takes the order';
    is $all->post('/staff' . $journey->_order('/approve'))->code, 200, 'approves it: the same duty';
    $journey->{done}{$_} = 1 for qw(claim approve);
    $journey->step($_) for qw(payment voucher);

    refused($all, $journey, 'finance');
    my $before = state_of($portal);
    is_problem($all->post("/staff/api/payments/$journey->{payment}/refuse", {reason => '未到账'}), 403, 'same_person',
        'refusing the payment too');
    is_unchanged($portal, $before, 'nothing changed');

    $journey->step('confirm');
    refused($all, $journey, 'production');
    is_problem($all->post('/staff' . $journey->_order('/refund'), {reason => '多付'}), 403, 'same_person', 'a refund');

    $journey->step($_) for qw(station issued);
    refused($all, $journey, 'shipping');

    $journey->step('ship');
    is_problem($all->post('/staff' . $journey->_order('/complete')), 403, 'same_person', 'completing');
    is $portal->staff('shipper')->post('/staff' . $journey->_order('/complete'))->code, 200, 'another person may';
    is $portal->value('SELECT COUNT(DISTINCT staff_id) FROM order_duty d JOIN certificate_order o ON o.id = d.order_id'
            . ' WHERE o.no = ?', $journey->no), 4, 'four people acted on the order';
};

subtest 'all roles, and the money found' => sub {
    my $all     = member($everything);
    my $journey = $portal->journey(key => 'station');
    $journey->until_state('submitted');
    $journey->step($_) for qw(claim approve payment voucher);

    is $duty{finance}->($all, $journey)->code, 200, 'confirms the payment';
    refused($all, $journey, 'production');
    $journey->step($_) for qw(station issued);
    refused($all, $journey, 'shipping');
};

subtest 'production and shipping are one duty' => sub {
    my $all     = member($everything);
    my $journey = $portal->journey(key => 'station', project => 'medical-insurance');
    $journey->until_state('submitted');
    $journey->step($_) for qw(claim approve);

    is $duty{production}->($all, $journey)->code, 200, 'makes the key';
    $journey->step('issued');
    is $duty{shipping}->($all, $journey)->code, 200, 'and ships it';
    is $all->post('/staff' . $journey->_order('/complete'))->code, 200, 'and completes the order';
};

subtest 'a rejected order comes back' => sub {
    my $all     = member($everything);
    my $journey = $portal->journey(key => 'station', project => 'medical-insurance');
    $journey->until_state('submitted');

    is $duty{review}->($all, $journey)->code, 200, 'takes it';
    is $all->post('/staff' . $journey->_order('/reject'), {reasons => [{field => 'email', code => 'x', text => 'y'}]})
        ->code, 200, 'rejects it';
    $journey->step('submit');
    $journey->step($_) for qw(claim approve);
    refused($all, $journey, 'production');
};

# The agent of an order is known by the ID number, whatever account or certificate it is.
subtest 'the agent of the order is a member of staff' => sub {
    for my $given (
        ['from the beginning' => sub ($person) { $person }],
        ['in small letters'   => sub ($person) { return {%$person, id_number => lc $person->{id_number}} }],
    ) {
        my ($how, $as) = @$given;
        my $person  = {%{ new_person() }, id_number => ending_in_x()};
        my $agent   = member($everything, 'id-number' => $person->{id_number});
        my $journey = $portal->journey(key => 'station', person => $person);

        $journey->step($_) for qw(registry sms_code sign_in);
        is $journey->applicant->post('/api/identity/person', $as->($person))->code, 200, "verified, $how";
        $journey->{done}{person} = 1;
        $journey->until_state('submitted');

        refused($agent, $journey, 'review');
        $journey->step($_) for qw(claim approve payment voucher);
        refused($agent, $journey, 'finance');
        $journey->step('confirm');
        refused($agent, $journey, 'production');
        $journey->step($_) for qw(station issued);
        refused($agent, $journey, 'shipping');
        is_problem($agent->post('/staff' . $journey->_order('/complete')), 409, 'wrong_state',
            'completing is for later');
    }
};

sub ending_in_x () {
    while (1) {
        my $number = id_number();
        return $number if $number =~ /X\z/;
    }
}

subtest 'an order of somebody else' => sub {
    my $agent   = member('reviewer', 'id-number' => id_number());
    my $journey = $portal->order_until('submitted', project => 'medical-insurance');
    is $duty{review}->($agent, $journey)->code, 200, 'is reviewed by who has an ID number too';
};

done_testing;
