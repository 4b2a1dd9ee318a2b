package Caportal::Journey;

# One order through the public API, step by step, as an applicant's and the staff's browsers would drive it.
# Each step returns a line on what came back and dies at any answer that is not the expected one.

use v5.36;
use utf8;
use Caportal::Client;
use Caportal::Files qw(capture folder random_text write_file);
use Caportal::Sample qw(new_company new_image new_person new_request);
use Mojo::UserAgent;
use Time::HiRes qw(sleep time);

# name, what it does, the order's state after it (where it has one yet), which orders have it (all, or see below)
my @steps = (
    [registry     => 'the outside registers know a person and a company', undef],
    [sms_code     => 'a code is sent to the phone', undef],
    [sign_in      => 'sign in with it', undef],
    [person       => 'verify the person', undef],
    [organization => 'verify the company', undef],
    [catalog      => 'read the catalogue', undef],
    [create       => 'begin an order', 'draft'],
    [fill_in      => 'fill in address, invoice and delivery', 'draft'],
    [materials    => 'upload the scans', 'draft'],
    [agreement    => 'accept the agreement', 'draft'],
    [csr          => 'make a key pair, send the certificate request', 'draft', 'holder'],
    [submit       => 'submit', 'submitted'],
    [claim        => 'a reviewer takes the order', 'submitted'],
    [approve      => 'and approves it', 'approved'],
    [payment      => 'ask to pay by transfer', 'approved', 'sold'],
    [voucher      => 'upload the bank\'s voucher', 'approved', 'sold'],
    [confirm      => 'finance finds the money on the account', 'paid', 'sold'],
    [station      => 'the production station makes the key on a USB-Key', undef, 'station'],
    [issued       => 'wait for the signer', 'issued'],
    [download     => 'download the certificate', 'issued'],
    [verify       => 'openssl verifies it', 'issued'],
    [certificate  => 'sign in with the certificate', 'issued'],
    [ship         => 'ship the USB-Key', 'shipped', 'mail'],
    [complete     => 'complete the order', 'completed'],
);

my %has = (
    sold    => sub ($self) { !$self->{free} },
    holder  => sub ($self) { $self->{key} eq 'holder' },
    station => sub ($self) { $self->{key} eq 'station' },
    mail    => sub ($self) { $self->{delivery} eq 'mail' },
);

# addresses: as Caportal::Stack gives them; folder: for keys and certificates.
# Also, all with defaults: project, product, kind (enterprise or institution), key (holder or station), delivery (mail
# or pickup), algorithm (words for openssl req -newkey), person, company, phone.
sub new ($class, %given) {
    my $self = bless {
        project  => 'procurement',
        product  => 'usbkey-1y',
        kind     => 'enterprise',
        key      => 'holder',
        delivery => 'mail',
        person   => new_person(),
        company  => new_company(),
        %given,
    }, $class;

    $self->{phone} //= $self->{person}{mobile};
    $self->{outside} = Mojo::UserAgent->new;
    $self->{applicant} = $self->client('portal');
    folder($self->{folder}, 0700);
    return $self;
}

sub steps ($class) { return @steps }

sub client ($self, $server, %certificate) {
    my $at = $self->{addresses};
    return Caportal::Client->new(base => $at->{$server}, ca => $at->{server_ca}, %certificate);
}

# The client of the first member of staff in a role.
sub staff ($self, $role) {
    return $self->{staff}{$role} //= do {
        my ($member) = grep { $_->{role} eq $role || $_->{name} eq $role } @{ $self->{addresses}{staff} };
        $self->client('certificate', cert => $member->{cert}, key => $member->{key});
    };
}

sub applicant ($self) { return $self->{applicant} }
sub no ($self)        { return $self->{no} }

# Whether this order has a step.
sub has ($self, $step) {
    return !$step->[3] || $has{ $step->[3] }->($self);
}

# Runs one step by its name.
sub step ($self, $name) {
    my $said = $self->can("_$name")->($self);
    $self->{done}{$name} = 1;
    return $said;
}

# Runs the steps up to the first that leaves the order in a state.
sub until_state ($self, $state) {
    for my $step (@steps) {
        my ($name, undef, $after) = @$step;
        next if $self->{done}{$name} || !$self->has($step);
        $self->step($name);
        return $self if ($after // '') eq $state;
    }
    die "no step ends in the state $state\n";
}

sub _expect ($self, $response, $status) {
    return $response->json // {} if $response->code == $status;
    my (undef, $file, $line) = caller;
    die "expected $status, got " . Caportal::Client->describe($response) . " at $file line $line\n";
}

sub _order ($self, $more = '') { return "/api/orders/$self->{no}$more" }

sub _registry ($self) {
    my $answer = $self->{outside}->post("$self->{addresses}{sandbox}/registry" => json => {
        people        => [$self->{person}],
        organizations => $self->{kind} eq 'institution' ? [] : [$self->{company}],
    })->result;
    $self->_expect($answer, 204);
    return "$self->{person}{name} $self->{person}{id_number}; $self->{company}{name} $self->{company}{uscc}";
}

sub _sms_code ($self) {
    my $answer = $self->_expect(
        $self->applicant->post('/api/sms-codes', {phone => $self->{phone}, purpose => 'login'}), 202);
    return "again after $answer->{resend_after} s, valid for $answer->{expires_in} s";
}

# The code of the newest message in the sandbox's inbox that has one: notices may come at any time.
sub code ($self) {
    my $inbox = $self->{outside}->get("$self->{addresses}{sandbox}/inbox" => form => {phone => $self->{phone}})->result;
    my ($newest) = grep {defined} map { $_->{params}{code} } @{ $self->_expect($inbox, 200) };
    return $newest // die "no message arrived at $self->{phone}\n";
}

sub _sign_in ($self) {
    my $code   = $self->code;
    my $answer = $self->_expect(
        $self->applicant->post('/api/sessions', {method => 'sms', phone => $self->{phone}, code => $code}), 201);
    return "code $code, account $answer->{account}{id}";
}

sub _person ($self) {
    my $answer = $self->_expect($self->applicant->post('/api/identity/person', $self->{person}), 200);
    die "the verdict is $answer->{verdict}\n" if $answer->{verdict} ne 'match';
    return $answer->{verdict};
}

sub _organization ($self) {
    my $answer = $self->_expect(
        $self->applicant->post('/api/identity/organization', {kind => $self->{kind}, %{ $self->{company} }}), 200);
    $self->{unit} = $answer->{unit} // die "the verdict is $answer->{verdict}\n";
    return "$answer->{verdict}, unit $self->{unit}";
}

sub _catalog ($self) {
    my $answer = $self->_expect($self->applicant->get('/api/catalog'), 200);
    my ($hall) = grep {
        grep { $_->{name} eq $self->{project} } @{ $_->{projects} }
    } @{ $answer->{halls} };
    my ($project) = grep { $_->{name} eq $self->{project} } @{ $hall->{projects} };

    $self->{hall} = $hall;
    $self->{free} = $project->{free};
    $self->{wanted}
        = [map { $_->{kind} } grep { $_->{required} && grep { $_ eq $self->{kind} } @{ $_->{applicants} } }
            @{ $project->{materials} }];
    my ($product) = grep { $_->{name} eq $self->{product} } @{ $project->{products} };
    return sprintf '%s: %s, %s, %.2f yuan', $hall->{title}, $project->{title}, $product->{title},
        $product->{price} / 100;
}

sub _create ($self) {
    my $answer = $self->_expect(
        $self->applicant->post('/api/orders',
            {service => 'new', hall => $self->{hall}{name}, map { $_ => $self->{$_} } qw(project product unit)},
            key => random_text(16)),
        201);
    $self->{no} = $answer->{no};
    return "order $self->{no}, state $answer->{state}, missing: @{ $answer->{missing} }";
}

sub _fill_in ($self) {
    my %details = (
        email   => 'agent@example.com',
        address => {province => '内蒙古自治区', city => '呼和浩特市', county => '新城区', street => '新华大街1号'},
        invoice => $self->{free} ? {type => 'none'}
            : {type => 'ordinary', title => $self->{company}{name}, tax_number => $self->{company}{uscc},
                email => 'invoice@example.com'},
        delivery => $self->{delivery} eq 'pickup' ? {method => 'pickup'} : {
            method  => 'mail', recipient => $self->{person}{name}, phone => $self->{phone},
            address => '内蒙古自治区呼和浩特市新城区新华大街1号', courier => 'SF',
        },
    );
    my $answer = $self->_expect($self->applicant->patch($self->_order, \%details), 200);
    return "missing: @{ $answer->{missing} }";
}

sub _materials ($self) {
    my @got;
    for my $kind (@{ $self->{wanted} }) {
        my ($bytes, $type) = new_image();
        my $answer = $self->_expect($self->applicant->put($self->_order("/materials/$kind"), $bytes, $type), 201);
        push @got, "$kind ($answer->{size} bytes)";
    }
    return join ', ', @got;
}

sub _agreement ($self) {
    my %accepted = map { $_ => $self->{hall}{agreement}{$_} } qw(version sha256);
    $self->_expect($self->applicant->post($self->_order('/agreement'), \%accepted), 200);
    return "version $accepted{version}, SHA-256 " . substr($accepted{sha256}, 0, 16) . '…';
}

sub _csr ($self) {
    my $der = new_request($self->{folder}, @{ $self->{algorithm} // [] });
    my %body = (body => $der, type => 'application/pkcs10');
    $self->_expect($self->applicant->post($self->_order('/csr'), undef, %body), 200);
    return length($der) . ' bytes of PKCS#10';
}

sub _submit ($self) {
    my $answer = $self->_expect($self->applicant->post($self->_order('/submit'), {}, key => random_text(16)), 200);
    return "state $answer->{state}";
}

sub _desk ($self, $role, $path, $json = {}) {
    return $self->_expect($self->staff($role)->post("/staff$path", $json, key => random_text(16)), 200);
}

sub _claim ($self) {
    $self->_desk(reviewer => $self->_order('/claim'));
    return 'claimed';
}

sub _approve ($self) {
    my $answer = $self->_desk(reviewer => $self->_order('/approve'));
    return "state $answer->{state}";
}

sub _payment ($self) {
    my $answer = $self->_expect(
        $self->applicant->post($self->_order('/payments'), {method => 'transfer'}, key => random_text(16)), 201);
    $self->{payment} = $answer->{id};
    return sprintf '%.2f yuan to %s, remark %s', $answer->{amount} / 100, $answer->{payee}{account},
        $answer->{remark_code};
}

sub _voucher ($self) {
    my ($bytes, $type) = new_image();
    $self->_expect($self->applicant->put($self->_order("/payments/$self->{payment}/voucher"), $bytes, $type), 201);
    return length($bytes) . " bytes, $type";
}

sub _confirm ($self) {
    $self->_desk(finance => "/api/payments/$self->{payment}/confirm", {bank_reference => 'B' . random_text(8)});
    return 'confirmed';
}

sub _station ($self) {
    my $der = new_request($self->{folder}, @{ $self->{algorithm} // [] });
    $self->_expect(
        $self->staff('producer')->post('/staff' . $self->_order('/csr'), undef, body => $der,
            type => 'application/pkcs10'), 200);
    return length($der) . ' bytes of PKCS#10';
}

sub show ($self) { return $self->_expect($self->applicant->get($self->_order), 200) }

sub _issued ($self) {
    my $begin = time;
    my $order;
    do {
        sleep 0.05;
        $order = $self->show;
        die "the order is still $order->{state} after 30 seconds\n" if time > $begin + 30;
    } until $order->{state} eq 'issued';

    my ($certificate) = @{ $order->{certificates} };
    $self->{serial} = $certificate->{serial};
    return sprintf 'after %.2f s: serial %s, until %s', time - $begin, $self->{serial}, $certificate->{not_after};
}

sub _download ($self) {
    my $answer = $self->applicant->get("/api/certificates/$self->{serial}?format=pem");
    $self->_expect($answer, 200);
    $self->{certificate} = write_file("$self->{folder}/certificate.pem", $answer->body);
    my $subject = capture(qw(openssl x509 -noout -subject -nameopt utf8 -in), $self->{certificate});
    chomp $subject;
    utf8::decode($subject);
    return "$self->{certificate}: $subject";
}

sub _verify ($self) {
    my $said = capture(qw(openssl verify -CAfile), $self->{addresses}{ca}, $self->{certificate});
    chomp $said;
    return $said;
}

sub _certificate ($self) {
    my $client = $self->client('certificate', cert => $self->{certificate}, key => "$self->{folder}/holder.key");
    my $answer = $self->_expect($client->post('/api/sessions', {method => 'certificate'}), 201);
    $self->_expect($client->get('/api/session'), 200);
    return "account $answer->{account}{id}";
}

sub _ship ($self) {
    my $answer = $self->_desk(
        shipper => $self->_order('/ship'),
        {courier => 'SF', number => 'SF' . sprintf '%012d', int rand 1e12}
    );
    return "state $answer->{state}";
}

sub _complete ($self) {
    my $answer = $self->_desk(shipper => $self->_order('/complete'));
    return "state $answer->{state}";
}

1;
