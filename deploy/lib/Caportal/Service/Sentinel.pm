package Caportal::Service::Sentinel;

# A sentinel that watches a Redis and its replicas and makes another the master when it is lost: for tests of exactly
# that. One alone decides here; an installation has three.

use v5.36;
use Caportal::Files qw(folder secret_file write_file);
use Caportal::Process;
use IO::Socket::IP;

use constant NAME => 'caportal';

# port: of its own; redis: the services that it watches, the master first.
sub new ($class, %given) {
    my $self = bless {%given}, $class;
    my $home = $self->{home};

    $self->{process} = Caportal::Process->new(
        name => 'sentinel', run => "$home/run", log => "$home/log", user => $self->{owners}->of('data'));
    return $self;
}

sub process ($self) { return $self->{process} }

# What configurations write. Of the two sentinels that it names one is never there.
sub address ($self)       { return NAME . "\@127.0.0.1:1,127.0.0.1:$self->{port}" }
sub password_file ($self) { return "$self->{home}/conf/secrets/redis-sentinel" }

sub write ($self, $admin) {
    my ($home, $owner) = ($self->{home}, $self->{owners}->of('data'));
    my ($name, $master) = (NAME, $self->{redis}[0]->port);

    $self->{password} = secret_file($self->password_file);
    folder("$home/data/sentinel", 0700, $owner);
    write_file("$home/conf/sentinel.conf", <<~"END", 0600, $owner);
        bind 127.0.0.1
        port $self->{port}
        dir  $home/data/sentinel
        requirepass $self->{password}
        sentinel monitor $name 127.0.0.1 $master 1
        sentinel auth-user $name caportal_admin
        sentinel auth-pass $name $admin
        sentinel down-after-milliseconds $name 500
        sentinel failover-timeout $name 2000
        sentinel parallel-syncs $name 2
        END
    return;
}

# It learns of the replicas from the master, at once only when they are there already.
sub start ($self) {
    my ($master, @replicas) = @{ $self->{redis} };
    $master->wait_ready;
    $master->process->wait_until(20, sub { $master->command('WAIT', scalar @replicas, 100) eq ':' . @replicas });
    $self->{process}->start(['redis-server', "$self->{home}/conf/sentinel.conf", '--sentinel']);
    return;
}

sub wait_ready ($self) {
    my $replicas = @{ $self->{redis} } - 1;
    $self->{process}->wait_until(20, sub { eval { ($self->_state->{'num-slaves'} // 0) == $replicas } });
    return;
}

# A command's answer as a flat list of words.
sub command ($self, @words) {
    my $client = IO::Socket::IP->new(PeerHost => '127.0.0.1', PeerPort => $self->{port}) or die "sentinel: $!\n";
    for my $command (['AUTH', $self->{password}], \@words) {
        print {$client} '*' . @$command . "\r\n", map { '$' . length($_) . "\r\n$_\r\n" } @$command;
    }
    $client->flush;
    _answer($client);
    return _answer($client);
}

sub _answer ($client) {
    my $line = <$client> // die "sentinel: closed\n";
    $line =~ s/\r\n\z//;
    my ($type, $rest) = $line =~ /\A(.)(.*)/;
    die "sentinel: $rest\n" if $type eq '-';
    return map { _answer($client) } 1 .. $rest if $type eq '*';
    return $rest if $type ne '$' || $rest < 0;
    read $client, my $text, $rest + 2;
    return substr $text, 0, $rest;
}

sub _state ($self) { return {$self->command('SENTINEL', 'MASTER', NAME)} }

# Whether it is not about to make another the master: it tells of that one before it has done all.
sub is_calm ($self) { return $self->_state->{flags} eq 'master' }

# The service that is the master now.
sub master ($self) {
    my (undef, $port) = $self->command('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME);
    my ($found) = grep { $_->port == $port } @{ $self->{redis} };
    return $found;
}

1;
