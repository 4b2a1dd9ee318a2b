package Caportal::Test;

# A portal of its own for a test file: nginx, Redis, sandbox and signer in a temporary folder, a database in the MariaDB
# that the run shares. At the end of the file everything is stopped, and the logs must hold nothing alarming.

use v5.36;
use utf8;
use Caportal::Client;
use Caportal::Files qw(folder random_text read_file);
use Caportal::Journey;
use Caportal::OpenApi;
use Caportal::Owners;
use Caportal::Sample;
use Caportal::Stack;
use Caportal::Test::Shared;
use Cwd qw(abs_path);
use DBI;
use File::Basename qw(dirname);
use File::Temp ();
use Test::More ();

use constant ALARMING => qr/\[(?:alert|emerg)\]|Sanitizer|runtime error:|\bpanic\b|Segmentation/;

my $root = abs_path(dirname(__FILE__) . '/../../..');
my (@portals, $shared, $shared_is_ours);

# Every answer that a client gets must be one that html/openapi.yaml describes. The server for everybody has no staff's
# API: what it says of those paths is nginx's own.
my %undescribed;
$Caportal::Client::witness = sub ($client, $method, $path, $answer) {
    return if $path =~ m{\A/staff/} && grep { $_->{addresses}{portal} eq $client->{base} } @portals;

    my $type   = $answer->headers->content_type;
    my @faults = Caportal::OpenApi->shared->check_answer($method, $path, $answer->code, $type, $answer->body);
    $undescribed{$_} = 1 for @faults;
};

binmode $_, ':encoding(UTF-8)'
    for *STDERR, Test::More->builder->output, Test::More->builder->failure_output, Test::More->builder->todo_output;

# The run's shared part; a test file that is run alone makes its own.
sub shared ($class) {
    return $shared if $shared;

    my $folder = $ENV{CAPORTAL_TEST_SHARED};
    if (!$folder) {
        $folder         = File::Temp::tempdir('ct.XXXXXX', DIR => '/tmp');
        $shared_is_ours = $$;
    }
    $shared = Caportal::Test::Shared->new($folder);
    $shared->start if $shared_is_ours;
    return $shared;
}

# Options: edit and edit_signer (subs from a configuration's text to another), environment (a hash, of nginx),
# own_database (a MariaDB of its own, to be
# killed), watched (Redis with two replicas and a sentinel), allow (a pattern of alarming log lines that this test
# expects).
sub start ($class, %option) {
    my $shared = $class->shared;
    my $number = @portals + 1;
    my $self   = bless {allow => $option{allow}, home => $shared->folder_name . "/$$-$number"}, $class;

    push @portals, $self;
    $self->{pid}   = $$;
    $self->{stack} = Caportal::Stack->new(
        root      => $root,
        build     => $ENV{CAPORTAL_BUILD} // "$root/build",
        home      => $self->{home},
        port      => $shared->port,
        owners    => Caportal::Owners->alone,
        authority => $shared->authority,
        database  => $option{own_database} ? 'caportal' : "t${\ $$}_$number",
        ($option{watched} ? (watched => [map { my $port = $shared->port; ($port, $port + 1) } 1, 2]) : ()),
        ($option{own_database} ? () : (mariadb => $shared->mariadb)),
        (map { $_ => $option{$_} } grep { $option{$_} } qw(edit edit_signer environment)),
    );
    $self->{stack}->up;
    $self->{addresses} = $self->{stack}->addresses;
    return $self;
}

sub stack ($self)     { return $self->{stack} }
sub home ($self)      { return $self->{home} }
sub addresses ($self) { return $self->{addresses} }

# A browser of its own: 'portal' or 'certificate' says at which server; cert and key: of the client.
sub client ($self, $server = 'portal', %certificate) {
    return Caportal::Client->new(
        base => $self->{addresses}{$server}, ca => $self->{addresses}{server_ca}, %certificate);
}

# The client of a member of staff, by name or role: reviewer (the first), reviewer-2, finance …
sub staff ($self, $name) {
    return $self->{staff}{$name} //= do {
        my ($member) = grep { $_->{name} eq $name || $_->{role} eq $name } @{ $self->{addresses}{staff} };
        $self->client('certificate', cert => $member->{cert}, key => $member->{key});
    };
}

# An order on its way, see Caportal::Journey.
sub journey ($self, %option) {
    state $number = 0;
    return Caportal::Journey->new(addresses => $self->{addresses},
        folder => folder("$self->{home}/journey-" . ++$number, 0700), %option);
}

sub order_until ($self, $state, %option) {
    return $self->journey(%option)->until_state($state);
}

# A client that has signed in by SMS, and the phone; with a person (and company) also verified.
sub sign_in ($self, %option) {
    my %also    = map { $_ => delete $option{$_} } qw(person company);
    my $journey = $self->journey(%option);
    $journey->step($_)
        for qw(registry sms_code sign_in), $also{person} ? 'person' : (), $also{company} ? 'organization' : ();
    return wantarray ? ($journey->applicant, $journey) : $journey->applicant;
}

# Another browser that signs in with the same phone, a minute later as it were.
sub sign_in_again ($self, $journey) {
    my $again = $self->journey(map { $_ => $journey->{$_} } qw(person company phone));
    $self->forget_limits;
    $again->step($_) for qw(sms_code sign_in);
    return $again->applicant;
}

# A client's account has this password.
sub set_password ($self, $client, $password, %more) {
    my $answer = $client->request(PUT => '/api/account/password', json => {password => $password, %more});
    die 'no password: ' . Caportal::Client->describe($answer) . "\n" if $answer->code != 200;
    return;
}

# The sessions of a client's account are as if their holder had just proved again who they are.
sub prove ($self, $client) {
    my $account = $client->get('/api/session')->json->{account}{id};
    $self->redis('EVAL', "local all = redis.call('HGETALL', KEYS[1]) for i = 1, #all, 2 do"
            . " local record = string.gsub(all[i + 1], '^(%S+ %S+ %S+ %S+ %S+ %S+) %S+', '%1 ' .. ARGV[1])"
            . " redis.call('HSET', KEYS[1], all[i], record) end", 1, "caportal:sessions:$account", int(1000 * time));

    # The client's worker knew the session without it, and is told a moment later: a step that asks for it says when.
    my $end = time + 3;
    while ($client->post('/api/units/none/administrator', {account => 'nobody'})->code == 403) {
        die "the session is not proved\n" if time > $end;
        select undef, undef, undef, 0.01;
    }
    return;
}

# What the phone's inbox holds, newest first, and whether so many messages have arrived there: some are sent after the
# answer.
sub inbox ($self, $phone) { return @{ $self->sandbox(get => '/inbox', form => {phone => $phone})->json } }

sub wait_for_messages ($self, $phone, $count) {
    my $until = time + 10;
    while (time < $until) {
        return 1 if $self->inbox($phone) >= $count;
        select undef, undef, undef, 0.01;
    }
    return 0;
}

# Redis forgets all keys behind the prefix that a pattern fits, as if their time were over.
sub forget_keys ($self, @patterns) {
    $self->redis('EVAL', "for _, key in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('DEL', key) end", 0,
        "caportal:$_") for @patterns;
    return;
}

# The counters of messages sent and of passwords tried begin again.
sub forget_limits ($self) {
    $self->forget_keys('sms-*', 'password-*');
    $self->change('DELETE FROM sms_code');
    return;
}

sub database ($self) {
    return $self->{dbh} //= DBI->connect(
        "DBI:MariaDB:database=$self->{stack}{database};mariadb_socket=" . $self->{stack}->service('mariadb')->socket,
        'root', '', {RaiseError => 1, PrintError => 0, mariadb_auto_reconnect => 1});
}

# Rows as hashes; one value; the count of changed rows.
sub rows ($self, $sql, @values)  { return $self->database->selectall_arrayref($sql, {Slice => {}}, @values) }
sub value ($self, $sql, @values) { return ($self->database->selectrow_array($sql, {}, @values))[0] }
sub change ($self, $sql, @values) { return $self->database->do($sql, {}, @values) }

# One Redis command as the administrator: the first line of its answer; or what it answers, a number or a string.
sub redis ($self, @words)       { return $self->{stack}->service('redis')->command(@words) }
sub redis_value ($self, @words) { return $self->{stack}->service('redis')->value(@words) }

sub ctl ($self, @words) { return $self->{stack}->ctl(@words) }

# The outside parties' stand-in: what it is told and what it knows.
sub sandbox ($self, $method, $path, @more) {
    my $agent = $self->{outside} //= Mojo::UserAgent->new;
    return $agent->$method("$self->{addresses}{sandbox}$path", @more)->result;
}

sub process ($self, $name) { return $self->{stack}->service($name)->process }

# kill -9 of a service, and its start.
sub kill ($self, $name) {
    $self->process($name)->signal('KILL');
    select undef, undef, undef, 0.01 while $self->process($name)->pid;
    return;
}

sub restart ($self, $name) {
    my $service = $self->{stack}->service($name);
    $service->start;
    $service->wait_ready;
    return;
}

# All that the services wrote.
sub logs ($self) {
    return join '', map { read_file($_) } glob "$self->{home}/log/*.log";
}

# The alarming lines that the test did not expect.
sub alarming ($self) {
    my $allow = $self->{allow};
    return grep { $_ =~ ALARMING && !($allow && $_ =~ $allow) } split /^/, $self->logs;
}

sub stop ($self) {
    return if $self->{stopped}++;
    $self->{dbh}->disconnect if $self->{dbh};
    $self->{stack}->down;
    return;
}

END {
    my $status = $?;
    for my $portal (grep { $_->{pid} == $$ } @portals) {
        eval { $portal->stop; 1 } or print STDERR "# $@";
        if (my @lines = $portal->alarming) {
            print STDERR "# alarming lines in the logs:\n", map {"#   $_"} @lines;
            $status ||= 1;
        }
        if (%undescribed) {
            print STDERR "# answers that html/openapi.yaml does not describe:\n", map {"#   $_\n"} sort keys %undescribed;
            $status ||= 1;
        }
        if ($status && !$ENV{CAPORTAL_TEST_KEEP}) {
            print STDERR "# the end of the error log:\n", map {"#   $_"} (split /^/, $portal->logs)[-10 .. -1];
        }
    }
    $shared->clean if $shared_is_ours && $shared_is_ours == $$;
    $? = $status;
}

1;
