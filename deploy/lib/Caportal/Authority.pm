package Caportal::Authority;

# The certificate authorities of a development installation, made with the openssl command: one that issues to
# applicants below a root, one for staff, one for the HTTPS server. None trusts another.

use v5.36;
use Caportal::Files qw(command folder read_file write_file);

my @staff = (
    [qw(reviewer-1 reviewer 审核员甲)],
    [qw(reviewer-2 reviewer 审核员乙)],
    [qw(finance finance 财务员)],
    [qw(producer producer 制证员)],
    [qw(shipper shipper 发货员)],
    [qw(auditor auditor 审计员)],
    [qw(administrator administrator 系统管理员)],
);

my @ca = ('basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign', 'subjectKeyIdentifier=hash');
my @leaf = ('basicConstraints=critical,CA:FALSE', 'keyUsage=critical,digitalSignature');

sub new ($class, $folder) {
    return bless {folder => $folder}, $class;
}

# Makes what is missing; the files stay the same from then on.
sub make ($self) {
    folder($self->{folder});
    folder("$self->{folder}/staff", 0700);

    $self->_certify('root',     '内蒙古CA 根（开发）', 7300, undef, @ca);
    $self->_certify('issuing',  '内蒙古CA 签发（开发）', 3650, 'root',
        'basicConstraints=critical,CA:TRUE,pathlen:0', @ca[1, 2]);
    $self->_certify('staff-ca', '内蒙古CA 员工（开发）', 3650, undef, @ca);
    $self->_certify('server-ca', '内蒙古CA 服务器（开发）', 3650, undef, @ca);
    $self->_certify('server', 'localhost', 825, 'server-ca', @leaf, 'extendedKeyUsage=serverAuth',
        'subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1');
    $self->_certify("staff/$_->[0]", $_->[2], 365, 'staff-ca', @leaf, 'extendedKeyUsage=clientAuth') for @staff;

    $self->_bundle('ca.pem',      'issuing', 'root');
    $self->_bundle('clients.pem', 'issuing', 'root', 'staff-ca');
    return $self;
}

sub _certify ($self, $name, $subject, $days, $issuer, @extensions) {
    my $path = "$self->{folder}/$name";
    return if -s "$path.pem";

    my @by = map { ("$_->[0]", "$self->{folder}/$issuer.$_->[1]") } $issuer ? (['-CA', 'pem'], ['-CAkey', 'key']) : ();
    command(
        qw(openssl req -x509 -utf8 -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 -config /dev/null),
        '-subj', "/C=CN/O=内蒙古CA/CN=$subject", '-days', $days, @by,
        (map { ('-addext', $_) } @extensions),
        '-keyout', "$path.key", '-out', "$path.pem.new"
    );
    chmod 0600, "$path.key";
    rename "$path.pem.new", "$path.pem" or die "$path.pem: $!\n";
    return;
}

sub _bundle ($self, $file, @names) {
    return if -s "$self->{folder}/$file";
    write_file("$self->{folder}/$file", join '', map { read_file("$self->{folder}/$_.pem") } @names);
    return;
}

sub file ($self, $name) { return "$self->{folder}/$name" }

# [{role, name, cert, key}]
sub staff ($self) {
    return [map { {
        role => $_->[1],
        name => $_->[0],
        cert => "$self->{folder}/staff/$_->[0].pem",
        key  => "$self->{folder}/staff/$_->[0].key",
    } } @staff];
}

1;
