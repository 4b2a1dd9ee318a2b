use v5.36;
use utf8;
use warnings FATAL => 'all';

# Every operation on an order in every state of every flow: what the state machine has no row for is answered 409 and
# changes nothing.

use Caportal::Files qw(folder read_file random_text);
use Caportal::Sample qw(new_jpeg new_request);
use Caportal::Test;
use Caportal::Test::Form qw(file_part form form_type);
use Caportal::Test::Walk qw(operations path_of state_of is_unchanged code_of);
use Test::More;

# A second hall, which takes the money first.
sub two_halls ($text) {
    my $hall = read_file('conf/halls/nmgca.conf');
    $hall =~ s/caportal_hall nmgca/caportal_hall prepaid/;
    $hall =~ s/review_then_pay;.*/pay_then_review;/;
    $hall =~ s/project (\S+) \{/project prepaid-$1 {/g;
    $text =~ s/^(\s+include\s+halls.*)/$1\n$hall/m;
    return $text;
}

my $portal = Caportal::Test->start(edit => \&two_halls);
my %row    = map { $_->{id} => $_ } @{ operations() };
my $jpeg   = new_jpeg();
my $csr    = new_request(folder($portal->home . '/request'));

# ---- the operations that an event of the state machine decides on

my @calls = (
    # operation, event, actor, who calls, body
    ['editOrder',         'EDIT',            'APPLICANT', undef, {email => 'late@example.com'}],
    ['acceptAgreement',   'EDIT',            'APPLICANT', undef, undef],
    ['putMaterial',       'EDIT',            'APPLICANT', undef, undef],
    ['postMaterial',      'EDIT',            'APPLICANT', undef, undef],
    ['removeMaterial',    'EDIT',            'APPLICANT', undef, undef],
    ['putRequest',        'EDIT',            'APPLICANT', undef, undef],
    ['submitOrder',       'SUBMIT',          'APPLICANT', undef, {}],
    ['cancelOrder',       'CANCEL',          'APPLICANT', undef, undef],
    ['receiveOrder',      'COMPLETE',        'APPLICANT', undef, {}],
    ['createPayment',     'PAY',             'APPLICANT', undef, {method => 'transfer'}],
    ['putVoucher',        'PAY',             'APPLICANT', undef, undef],
    ['postVoucher',       'PAY',             'APPLICANT', undef, undef],
    ['claimOrder',        'CLAIM',           'REVIEWER',  'reviewer', {}],
    ['approveOrder',      'APPROVE',         'REVIEWER',  'reviewer', {}],
    ['rejectOrder',       'REJECT',          'REVIEWER',  'reviewer',
        {reasons => [{material => 'licence', code => 'blurred', text => '不清晰'}]}],
    ['confirmPayment',    'PAYMENT_CONFIRM', 'FINANCE',   'finance', {bank_reference => 'again'}],
    ['refusePayment',     'PAYMENT_REFUSE',  'FINANCE',   'finance', {reason => '未到账'}],
    ['refundOrder',       'REFUND',          'FINANCE',   'finance', {reason => '多付'}],
    ['concludeRefund',    'REFUND_DONE',     'FINANCE',   'finance', {bank_reference => 'back'}],
    ['putStationRequest', 'KEY',             'PRODUCER',  'producer', undef],
    ['getDeskDelivery',   'SHIP',            'SHIPPER',   'shipper', undef],
    ['shipOrder',         'SHIP',            'SHIPPER',   'shipper', {courier => 'SF', number => 'SF1'}],
    ['completeOrder',     'COMPLETE',        'SHIPPER',   'shipper', {}],
);

# No operation on an order escapes the list: only what reads, and what is not about its state.
my %walked = map { $_->[0] => 1 } @calls;
my @unknown = grep { !$walked{$_} && $row{$_}{path} =~ /\{(?:no|id)\}/ && $row{$_}{method} ne 'GET' } sort keys %row;
is_deeply \@unknown, [], 'every change of an order is in the list';

# ---- the rows of the state machine, as they stand in its source

my @rules = map {
    my ($state, $event, $actors, $condition) = map {s/\s//gr} split /,/;
    {state => lc $state, event => $event, actors => [split /\|/, $actors],
        condition => [grep { $_ ne 'ANY_FLOW' } map {s/^CP_IF_//r} split /\|/, $condition]}
} read_file('lib/order/order_rules.c') =~ /^    ROW\((.*)\),$/gm;
cmp_ok scalar @rules, '>', 40, 'the state machine was read';

sub has_rule ($state, $event, $actor, $facts) {
    my %holds = map { $_ => 1 } @$facts;
    return grep {
        my $rule = $_;
        $rule->{state} eq $state && $rule->{event} eq $event && (grep { $_ eq $actor } @{ $rule->{actors} })
            && !grep { !$holds{$_} } @{ $rule->{condition} };
    } @rules;
}

# ---- orders, brought from state to state

sub new_order ($flow, %given) {
    my %project = (REVIEW_FIRST => 'procurement', PAY_FIRST => 'prepaid-procurement', FREE => 'medical-insurance');
    my $journey = $portal->journey(project => $project{$flow}, %given);
    $journey->until_state('draft');
    $journey->{flow} = $flow;
    return $journey;
}

sub go ($journey, @steps) {
    $journey->step($_) for @steps;
    return $journey;
}

my @fill   = qw(fill_in materials agreement);
my @whole  = (@fill, qw(csr submit));
my @bare   = (@fill, 'submit');
my @review = qw(claim approve);
my @pay    = qw(payment voucher confirm);

sub reject ($journey) {
    go($journey, 'claim');
    $journey->_desk(reviewer => $journey->_order('/reject'),
        {reasons => [{field => 'email', code => 'x', text => 'y'}]});
    return $journey;
}

sub cancel ($journey) {
    $journey->_expect($journey->applicant->delete($journey->_order), 200);
    return $journey;
}

sub refund ($journey) {
    $journey->_desk(finance => $journey->_order('/refund'), {reason => '多付'});
    return $journey;
}

sub refunded ($journey) {
    $journey->_desk(finance => $journey->_order('/refunded'), {bank_reference => 'R' . random_text(8)});
    return $journey;
}

# ---- the walk

sub ask ($journey, $call) {
    my ($id, undef, undef, $who, $json) = @$call;
    my $client = $who ? $portal->staff($who) : $journey->applicant;
    my $path = path_of($row{$id}{path}, {no => $journey->no, kind => 'licence', id => $journey->{payment}});

    $json //= {map { $_ => $journey->{hall}{agreement}{$_} } qw(version sha256)};
    my %sent = $row{$id}{body} eq 'upload' ? (body => $jpeg, type => 'image/jpeg')
        : $row{$id}{body} eq 'form' ? (body => form(file_part($jpeg, 'image/jpeg', 'scan.jpg')), type => form_type())
        : $row{$id}{body} eq 'raw'         ? (body => $csr,  type => 'application/pkcs10')
        : $row{$id}{body} eq 'json'        ? (json => $json, key => random_text(16))
        :                                    ();
    return $client->request($row{$id}{method}, $path, %sent);
}

my %seen;

# The order as it is now: all that its state has no row for.
sub walk ($journey, @more) {
    my $state = $journey->show->{state};
    my $flow  = $journey->{flow};
    my @facts = ($flow, $journey->{delivery} eq 'mail' ? 'MAIL' : 'PICKUP', @more);
    my $count = 0;
    my @wrong;

    my $before = state_of($portal);
    for my $call (@calls) {
        my ($id, $event, $actor) = @$call;
        next if $row{$id}{path} =~ /\{id\}/ && !$journey->{payment};
        next if has_rule($state, $event, $actor, \@facts);

        my $answer = ask($journey, $call);
        push @wrong, "$id: " . Caportal::Client->describe($answer)
            if $answer->code != 409 || code_of($answer) !~ /\A(?:wrong_state|conflict)\z/;
        $count++;
    }
    is_deeply \@wrong, [], "$state (@facts) refuses $count operations";
    is_unchanged($portal, $before, '... and none of them changed anything');
    $seen{"$flow $state"} = 1;
    return $journey;
}

# ---- orders on their ways

my %station = (key => 'station');
my %pickup  = (delivery => 'pickup');
my @open    = qw(UNPAID NO_KEY);

# The straight way, and before and after each step of it.
sub straight ($flow, %given) {
    my $journey = new_order($flow, %station, %given);
    walk($journey, @open);
    is $journey->applicant->post($journey->_order('/submit'))->code, 422, 'an empty order is not submitted';
    walk(go($journey, @bare), @open);

    if ($flow eq 'PAY_FIRST') {
        walk(go($journey, qw(payment voucher)), @open);
        walk(go($journey, 'confirm'), qw(PAID NO_KEY));
    }
    walk(go($journey, @review), $flow eq 'PAY_FIRST' ? qw(PAID NO_KEY) : @open);
    if ($flow eq 'REVIEW_FIRST') {
        walk(go($journey, qw(payment voucher)), @open);
        walk(go($journey, 'confirm'), qw(PAID NO_KEY));
    }

    my $paid = $flow eq 'FREE' ? 'UNPAID' : 'PAID';
    walk(go($journey, qw(station issued)), $paid);
    walk(go($journey, 'ship'), $paid) if $journey->{delivery} eq 'mail';
    walk(go($journey, 'complete'), $paid);
    return;
}

subtest 'review, then payment'             => sub { straight('REVIEW_FIRST') };
subtest 'payment, then review'             => sub { straight('PAY_FIRST') };
subtest 'free'                             => sub { straight('FREE') };
subtest 'fetched instead of sent'          => sub { straight('FREE', %pickup) };

subtest 'rejected, then cancelled' => sub {
    for my $flow (qw(REVIEW_FIRST FREE)) {
        my $journey = walk(reject(go(new_order($flow, %station), @bare)), @open);
        walk(cancel($journey), @open);
    }
};

subtest 'cancelled with a payment open' => sub {
    walk(cancel(go(new_order('REVIEW_FIRST', %station), @bare, @review, qw(payment voucher))), @open);
    walk(cancel(go(new_order('PAY_FIRST', %station), @bare, qw(payment voucher))), @open);
};

subtest 'the money given back' => sub {
    my $journey = walk(reject(go(new_order('PAY_FIRST', %station), @bare, @pay)), qw(PAID NO_KEY));
    walk(refund($journey), qw(PAID NO_KEY));
    walk(refunded($journey), @open);

    $journey = refund(go(new_order('REVIEW_FIRST', %station), @bare, @review, @pay));
    walk($journey, qw(PAID NO_KEY));
    walk(refunded($journey), @open);
};

# Without the signer, what waits for it stays where it is.
$portal->process('signer')->stop;
my $queued = go(new_order('FREE'), @whole, @review);

subtest 'queued for the signer' => sub {
    my $before = state_of($portal);
    my ($station) = grep { $_->[0] eq 'putStationRequest' } @calls;
    is code_of(ask($queued, $station)), 'conflict', 'a second request';
    is_unchanged($portal, $before, 'changes nothing');
    walk($queued, 'UNPAID');

    my $paid = walk(go(new_order('REVIEW_FIRST'), @whole, @review, @pay), 'PAID');

    # The signer leaves no order here for long enough to be asked about: it is put there.
    my @at = ('UPDATE certificate_order SET state = ? WHERE no = ?', 'issuing', $paid->no);
    $portal->change(@at);
    walk($paid, 'PAID');
    $portal->change($at[0], 'paid', $at[2]);
};

subtest 'a decision on an order that was not taken' => sub {
    my $journey = go(new_order('FREE', %station), @bare);
    my $before  = state_of($portal);
    is code_of(ask($journey, $_)), 'not_claimed', $_->[0] for grep { $_->[0] =~ /\A(?:approve|reject)Order/ } @calls;
    is_unchanged($portal, $before, 'nothing changed');
};

my @states = qw(draft submitted rejected approved issued shipped completed cancelled);
my %wanted = map { $_ => 1 } (map { my $flow = $_; map {"$flow $_"} @states } qw(REVIEW_FIRST PAY_FIRST FREE)),
    'REVIEW_FIRST issuing', map { ("REVIEW_FIRST $_", "PAY_FIRST $_") } qw(paid refunding refunded);
is_deeply \%seen, \%wanted, 'every state of every flow was there';

# With the signer back, what was refused so often still comes to its end.
$portal->restart('signer');
is eval { $queued->step('issued'); $queued->show->{state} }, 'issued', 'an order that was waited for is issued';

done_testing;
