package Caportal::Stack;

# All services of one portal in one home folder: written, started, looked at, stopped.

use v5.36;
use Caportal::Authority;
use Caportal::Conf;
use Caportal::Files qw(capture folder read_file secret_file write_file);
use Caportal::Owners;
use Caportal::Service::Inspector;
use Caportal::Service::MariaDB;
use Caportal::Service::Nginx;
use Caportal::Service::Redis;
use Caportal::Service::Sandbox;
use Caportal::Service::Sentinel;
use Caportal::Service::Signer;
use IO::Socket::IP;
use JSON::PP ();

# A unix socket's path holds 107 bytes, the longest of ours ends like this.
use constant LONGEST_SOCKET => length '/run/data/mysqld.sock';

# root: the checkout; home: absolute; port: of the portal, +1 client TLS, +2 sandbox.
# For tests also: build (folder), owners, mariadb (a running one) and database, authority, edit and edit_signer (subs),
# watched (ports of a Redis, of replicas, and last of the sentinel that watches them).
sub new ($class, %given) {
    my $self = bless {database => 'caportal', build => "$given{root}/build", %given}, $class;
    my ($home, $port) = @$self{qw(home port)};

    for my $path ($home, $given{root}) {
        die "paths in configuration files must be plain, of letters, digits and . _ + -, not \"$path\"\n"
            if $path !~ m{\A[\w./+-]+\z}a;
    }
    die "the folder's path is too long for unix sockets: $home\n" if length($home) + LONGEST_SOCKET > 107;

    $self->{owners}    //= Caportal::Owners->alone;
    $self->{authority} //= Caportal::Authority->new("$home/ca");

    my %common = map { $_ => $self->{$_} } qw(home owners root build authority database);
    $self->{own_mariadb} = !$self->{mariadb};
    $self->{mariadb} //= Caportal::Service::MariaDB->new(%common);
    $self->_place_redis(%common);
    $self->{sandbox} = Caportal::Service::Sandbox->new(%common, port => $port + 2);
    $self->{inspector} = Caportal::Service::Inspector->new(%common);
    $self->{signer}  = Caportal::Service::Signer->new(%common, edit => $self->{edit_signer});
    $self->{nginx}   = Caportal::Service::Nginx->new(%common, port => $port, edit => $self->{edit},
        environment => $self->{environment});
    return $self;
}

# One Redis; or a master, replicas and a sentinel.
sub _place_redis ($self, %common) {
    my @ports = @{ $self->{watched} // [0, 0] };
    my ($sentinel, $first) = (pop @ports, $ports[0]);

    $self->{redis} = Caportal::Service::Redis->new(%common, port => $first);
    for my $number (2 .. @ports) {
        $self->{"redis-$number"} = Caportal::Service::Redis->new(
            %common, name => "redis-$number", port => $ports[$number - 1], of => $first);
    }
    $self->{replicas} = [map { $self->{"redis-$_"} } 2 .. @ports];
    $self->{sentinel} = Caportal::Service::Sentinel->new(
        %common, port => $sentinel, redis => [$self->{redis}, @{ $self->{replicas} }]) if $sentinel;
    return;
}

# In the order of their start.
sub services ($self) {
    my @all = (@$self{qw(mariadb redis)}, @{ $self->{replicas} }, $self->{sentinel} // (),
        @$self{qw(sandbox inspector signer nginx)});
    shift @all if !$self->{own_mariadb};
    return @all;
}

sub service ($self, $name) { return $self->{$name} }

sub running ($self) {
    return grep { $_->process->pid } $self->services;
}

sub _folders ($self) {
    my ($home, $owners) = @$self{qw(home owners)};

    folder("$home/$_") for '', qw(conf conf/tls data run log);
    folder("$home/conf/secrets", 0755);
    folder("$home/run/data",     0755, $owners->of('data'));
    return;
}

# Secrets are root's; a part may read its own.
sub _secret ($self, $name, $part = undef) {
    return secret_file("$self->{home}/conf/secrets/$name", $part ? $self->{owners}->group_of($part) : undef);
}

sub _database_secret ($self, $part) {
    return $self->_secret("database-$part", $part eq 'web' ? $part : undef);
}

sub _redis_secret ($self, $part) {
    return $self->_secret("redis-$part", $part eq 'web' ? $part : undef);
}

# The signer holds copies that are its own; these are the operator's.
sub _signer_secret ($self, $name) {
    return $name eq 'audit.key' ? $self->_secret('audit') : $self->_secret("$name-signer");
}

sub _write ($self) {
    my ($home, $owners, $ca) = @$self{qw(home owners authority)};

    $ca->make;
    Caportal::Conf->new((map { $_ => $self->{$_} } qw(home root build port database)),
        (map { $_ => $owners->name($_) } qw(web signer inspector)), mysql_socket => $self->{mariadb}->socket,
        sentinel => $self->{sentinel})->install;
    $self->_secret($_, 'web') for qw(sms identity);
    write_file("$home/conf/tls/$_", read_file($ca->file($_)), /key/ ? 0600 : 0644)
        for qw(server.pem server.key clients.pem);

    my $ring = "$home/conf/secrets/keyring";
    if (!-e $ring) {
        $self->ctl('keys', 'new', '--key-ring', $ring);
        chown @{ $owners->group_of('web') // [0, 0] }, $ring or die "$ring: $!\n" if $> == 0;
    }

    $self->{mariadb}->write if $self->{own_mariadb};
    $_->write(sub ($part) { $self->_redis_secret($part) }) for $self->{redis}, @{ $self->{replicas} };
    $self->{sentinel}->write($self->_redis_secret('admin')) if $self->{sentinel};
    $self->{signer}->write(sub ($name) { $self->_signer_secret($name) });
    $self->{nginx}->write;

    write_file("$home/conf/caportalctl.conf", <<~"END", 0600);
        mysql-socket  @{[ $self->{mariadb}->socket ]}
        user          @{[ Caportal::Service::MariaDB::user($self->{database}, 'admin') ]}
        password-file $home/conf/secrets/database-admin
        database      $self->{database}
        key-ring      $ring
        key           $home/conf/secrets/audit
        store         $home/data/materials
        dir           $self->{root}/deploy/schema
        redis-socket  @{[ $self->{redis}->socket ]}
        redis-user    caportal_admin
        redis-password-file $home/conf/secrets/redis-admin
        END
    return;
}

# caportalctl with this stack's options; what it prints.
sub ctl ($self, @words) {
    my $config = "$self->{home}/conf/caportalctl.conf";
    return capture("$self->{build}/caportalctl", @words, -e $config ? ('--config', $config) : ());
}

sub _check_ports ($self) {
    for my $port (map { $self->{port} + $_ } 0 .. 2) {
        my $service = $port == $self->{port} + 2 ? $self->{sandbox} : $self->{nginx};
        next if $service->process->pid;
        IO::Socket::IP->new(LocalHost => '0.0.0.0', LocalPort => $port, Listen => 1, ReuseAddr => 1)
            or die "port $port is taken by another program: choose others by CAPORTAL_PORT "
            . "(it and the next two are used)\n";
    }
    return;
}

# Starts what does not run. Says each step through the given sub.
sub up ($self, $say = sub { }) {
    my $home = $self->{home};

    $self->_folders;
    $self->_check_ports;
    $say->('writing the configuration');
    $self->_write;

    $say->('starting MariaDB, Redis and the sandbox');
    my ($mariadb, $redis, $sandbox, $inspector, $signer, $nginx)
        = @$self{qw(mariadb redis sandbox inspector signer nginx)};
    $mariadb->start if $self->{own_mariadb};
    $_->start for $redis, @{ $self->{replicas} }, $self->{sentinel} // (), $sandbox;
    $mariadb->wait_ready if $self->{own_mariadb};

    $say->('bringing the schema up to date');
    my $password_of = sub ($part) { $self->_database_secret($part) };
    $mariadb->create($self->{database}, $password_of);
    $self->ctl('migrate');
    $mariadb->grant($self->{database}, $password_of, "$self->{root}/deploy/schema/grants.sql");
    $self->_add_staff;

    $say->('starting the inspector, the signer and nginx');
    $_->wait_ready for $redis, $self->{sentinel} // ();
    $_->test for $inspector, $signer, $nginx;
    $_->start for $inspector, $signer, $nginx;
    $_->wait_ready for $sandbox, $inspector, $signer, $nginx;

    write_file("$home/stack.json", JSON::PP->new->canonical->encode({port => $self->{port} + 0}) . "\n");
    return;
}

# Each member of staff once: the certificate says whether it is there.
sub _add_staff ($self) {
    my %known = map { $_->{name} => 1 } @{ JSON::PP::decode_json($self->ctl('staff', 'list')) };
    for my $member (@{ $self->{authority}->staff }) {
        next if $known{$member->{name}};
        $self->ctl('staff', 'add', '--name', $member->{name}, '--roles', $member->{role}, '--certificate',
            $member->{cert});
    }
    return;
}

# Stops everything, last started first; the names of what was running.
sub down ($self) {
    return grep {defined} map { $_->process->stop ? $_->process->name : undef } reverse $self->services;
}

# Where everything is, for people and for programs.
sub addresses ($self) {
    my $port = $self->{port};
    my $ca   = $self->{authority};
    return {
        portal      => "https://localhost:$port",
        certificate => 'https://localhost:' . ($port + 1),
        sandbox     => 'http://127.0.0.1:' . ($port + 2),
        ca          => $ca->file('ca.pem'),
        server_ca   => $ca->file('server-ca.pem'),
        staff       => $ca->staff,
    };
}

# The port that a home was last started with, or nothing.
sub port_of_home ($class, $home) {
    return if !-e "$home/stack.json";
    return JSON::PP::decode_json(read_file("$home/stack.json"))->{port};
}

1;
